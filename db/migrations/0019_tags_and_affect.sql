-- Tags people can search for, and what affect is read from.

-- What was heard, second by second, measured while the sound was extracted: element n is media time n to n + 1 s.
CREATE TABLE sound_curves (
    run_id        uuid PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    owner_id      uuid NOT NULL REFERENCES users,
    -- K-weighted loudness (ITU-R BS.1770-4, ungated), LUFS; null: digital silence.
    loudness_lufs real[] NOT NULL,
    -- Median pitch of the voiced parts; null: nothing voiced.
    pitch_hz      real[] NOT NULL,
    -- Share of the second that is voiced, 0 to 1.
    voiced        real[] NOT NULL,
    CHECK (cardinality(loudness_lufs) = cardinality(pitch_hz) AND cardinality(loudness_lufs) = cardinality(voiced))
);
ALTER TABLE sound_curves ENABLE ROW LEVEL SECURITY;

-- Colour of a picture, null where it was taken before this was measured.
ALTER TABLE frames
    -- Mean saturation (HSV), 0 to 1.
    ADD COLUMN saturation real,
    -- Mean of red minus blue, -1 (cold) to 1 (warm).
    ADD COLUMN warmth real;

-- A tag's owner beside it, so that the best scenes of a tag are one walk along an index.
ALTER TABLE scene_tags ADD COLUMN owner_id uuid REFERENCES users;
UPDATE scene_tags t SET owner_id = s.owner_id FROM scenes s WHERE s.run_id = t.run_id AND s.scene_id = t.scene_id;
ALTER TABLE scene_tags ALTER COLUMN owner_id SET NOT NULL;
DROP INDEX scene_tags_by_tag;
CREATE INDEX scene_tags_by_tag ON scene_tags (owner_id, tag, score DESC);

-- What tags are called, in the languages of the workers' vocabulary. Tags of an older vocabulary keep their labels.
CREATE TABLE tag_labels (
    tag      text NOT NULL,
    -- ISO 639-1
    language text NOT NULL,
    label    text NOT NULL,
    -- 0 is the one that people are shown; the others are synonyms.
    place    smallint NOT NULL CHECK (place >= 0),
    -- The text search configuration of the language, and the label in it.
    config   text NOT NULL,
    phrase   tsquery NOT NULL,
    PRIMARY KEY (tag, language, label)
);
ALTER TABLE tag_labels ENABLE ROW LEVEL SECURITY;

DO $$
BEGIN
    IF to_regprocedure('auth.uid()') IS NOT NULL THEN
        CREATE POLICY sound_curves_own ON sound_curves FOR SELECT
            USING (owner_id IN (SELECT u.user_id FROM users u WHERE u.supabase_user_id = auth.uid()));
    END IF;
END
$$;
