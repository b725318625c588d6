-- A library of thousands of videos: a page of it in each order without sorting all of it, by tag, and by size.

CREATE INDEX videos_by_title ON videos (owner_id, lower(title), video_id) WHERE state <> 'deleted';
CREATE INDEX videos_by_indexing ON videos (owner_id, COALESCE(indexed_at, '-infinity'::timestamptz) DESC, video_id DESC)
    WHERE state <> 'deleted';
CREATE INDEX videos_by_tag ON videos USING gin (tags) WHERE state <> 'deleted';

-- A file can only be there already where one of its size is: before that is asked, nobody computes a hash.
CREATE INDEX videos_by_size ON videos (owner_id, size_bytes) WHERE state <> 'deleted';
