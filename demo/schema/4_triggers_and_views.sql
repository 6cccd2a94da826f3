-- What keeps derived columns right from now on, and the views on top. The rows' own derived columns come first.

UPDATE tags SET usage_count = used.files
FROM (SELECT tag_id, count(*) AS files FROM file_tags GROUP BY tag_id) AS used
WHERE used.tag_id = tags.id;

SELECT setval('files_id_seq', max(id)) FROM files;

SELECT setval('tags_id_seq', max(id)) FROM tags;

SELECT setval('categories_id_seq', max(id)) FROM categories;

SELECT setval('instruments_id_seq', max(id)) FROM instruments;

SELECT setval('playlists_id_seq', max(id)) FROM playlists;

SELECT setval('import_jobs_id_seq', max(id)) FROM import_jobs;

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER files_updated_at BEFORE UPDATE ON files
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE FUNCTION count_tags_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tags SET usage_count = usage_count + added.files
    FROM (SELECT tag_id, count(*) AS files FROM new_rows GROUP BY tag_id) AS added
    WHERE added.tag_id = tags.id;
    RETURN NULL;
END
$$;

CREATE FUNCTION count_tags_freed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tags SET usage_count = usage_count - removed.files
    FROM (SELECT tag_id, count(*) AS files FROM old_rows GROUP BY tag_id) AS removed
    WHERE removed.tag_id = tags.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER file_tags_used AFTER INSERT ON file_tags
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_tags_used();

CREATE TRIGGER file_tags_freed AFTER DELETE ON file_tags
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_tags_freed();

CREATE VIEW file_details AS
SELECT
    f.id, f.filepath, f.filename, f.manufacturer, f.collection_name, f.created_at,
    m.bpm, m.key_signature, m.duration_seconds,
    (SELECT array_agg(t.name ORDER BY t.name) FROM file_tags AS ft JOIN tags AS t ON t.id = ft.tag_id
     WHERE ft.file_id = f.id) AS tags
FROM files AS f LEFT JOIN musical_metadata AS m ON m.file_id = f.id;

CREATE VIEW tag_use AS
SELECT t.id, t.name, t.category, t.usage_count, round(100.0 * t.usage_count / nullif(n.files, 0), 2) AS percent_of_files
FROM tags AS t CROSS JOIN (SELECT count(*) AS files FROM files) AS n;

CREATE VIEW growth_by_month AS
SELECT date_trunc('month', created_at) AS month, count(*) AS files, sum(file_size_bytes) AS bytes
FROM files GROUP BY 1;
