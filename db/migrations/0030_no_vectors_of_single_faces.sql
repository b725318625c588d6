-- Whose a face is, is told by the vector of its track. That of the face in every single picture was kept too and read by nothing; what
-- could tell a person is not kept for nothing. Emptied before it is dropped, so that its bytes go with the next vacuum.
UPDATE face_detections SET face_vec = NULL WHERE face_vec IS NOT NULL;
ALTER TABLE face_detections DROP COLUMN face_vec, DROP COLUMN face_model;
