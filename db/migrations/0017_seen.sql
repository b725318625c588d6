-- Which image models a person's scenes have vectors of: a query is embedded once for each.
CREATE INDEX scenes_by_image_model ON scenes (owner_id, image_model) WHERE image_model IS NOT NULL;
