"""faster-whisper as its documentation shows it: one window after the other, or in batches. Prints the words it heard."""

import argparse
import json
import time

from faster_whisper import BatchedInferencePipeline, WhisperModel

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("wav")
parser.add_argument("--model", required=True)
parser.add_argument("--beam", type=int, default=5)
parser.add_argument("--compute", default="int8")
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--batch", type=int, default=0, help="windows at once; 0 is one after the other")
options = parser.parse_args()

began = time.monotonic()
model = WhisperModel(options.model, device="cpu", compute_type=options.compute, cpu_threads=options.threads)
load_s = time.monotonic() - began

began, cpu = time.monotonic(), time.process_time()
common = {"beam_size": options.beam, "word_timestamps": True, "vad_filter": True}
if options.batch:
    segments, info = BatchedInferencePipeline(model).transcribe(options.wav, batch_size=options.batch, **common)
else:
    segments, info = model.transcribe(options.wav, **common)
heard = [word.word for segment in segments for word in segment.words]
wall_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "load_s": load_s, "audio_s": info.duration,
                  "speech_s": info.duration_after_vad, "words": len(heard), "text": "".join(heard)}))
