-- A person's writing on screen is searched by substring too, also by strings too short for a trigram.
CREATE INDEX screen_texts_by_owner ON screen_texts (owner_id);
ALTER TABLE screen_texts ADD CONSTRAINT screen_texts_times CHECK (end_ms >= start_ms);
COMMENT ON COLUMN screen_texts.box IS 'Four corners [x, y], clockwise from the upper left as the line is read, in units of the picture''s width and height.';
