-- What the face of a track expresses: {class: probability}, the mean over its good faces. Empty where no such model is configured.
ALTER TABLE face_tracks ADD COLUMN expression jsonb;
