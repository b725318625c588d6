-- What everything else is written in: extensions, the four enum types, and one helper.
--
-- The values of an enum are compared with the Rust enum of the same name at every start (`heimdex_db::enums`);
-- append only, never reorder.

CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

CREATE TYPE user_tier AS ENUM ('free', 'pro', 'enterprise');

CREATE TYPE video_state AS ENUM ('uploading', 'validating', 'processing', 'indexed', 'failed', 'deleted');

CREATE TYPE job_stage AS ENUM (
    'upload_validate', 'audio_extract', 'asr_fast', 'scene_detect', 'align_merge', 'embed_text',
    'vision_sample_frames', 'vision_embed_frames', 'vision_affect_tags', 'faces_enroll_match', 'sidecar_build', 'commit'
);

CREATE TYPE job_state AS ENUM ('pending', 'running', 'completed', 'failed', 'cancelled');

CREATE FUNCTION heimdex_touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
