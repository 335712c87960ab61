-- What a source that is asked for changes alone has said of its last answer, so that it can say next time that nothing
-- has changed. JSON: which question it answered (a digest), and its ETag.
ALTER TABLE sources ADD COLUMN validator TEXT;
