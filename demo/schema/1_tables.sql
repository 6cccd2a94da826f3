-- The MIDI library's tables, without the keys and indexes that are quicker to make when the rows are in.
-- In all files of this directory an empty line ends a statement, and only there.

CREATE TYPE musical_key AS ENUM (
    'C', 'Cm', 'C#', 'C#m', 'D', 'Dm', 'D#', 'D#m', 'E', 'Em', 'F', 'Fm',
    'F#', 'F#m', 'G', 'Gm', 'G#', 'G#m', 'A', 'Am', 'A#', 'A#m', 'B', 'Bm', 'UNKNOWN'
);

CREATE TABLE files (
    id bigserial,
    filepath text NOT NULL,
    filename text NOT NULL,
    content_hash bytea NOT NULL,
    file_size_bytes bigint NOT NULL CHECK (file_size_bytes > 0),
    track_count smallint NOT NULL DEFAULT 1,
    ticks_per_quarter_note smallint NOT NULL DEFAULT 480,
    manufacturer text,
    collection_name text,
    parent_file_id bigint,
    search_vector tsvector,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    analyzed_at timestamptz
);

CREATE TABLE tags (
    id serial,
    name text NOT NULL,
    category text,
    usage_count integer NOT NULL DEFAULT 0
);

CREATE TABLE file_tags (
    file_id bigint NOT NULL,
    tag_id integer NOT NULL
);

CREATE TABLE musical_metadata (
    file_id bigint NOT NULL,
    bpm numeric(6, 2) CHECK (bpm > 0),
    bpm_confidence real,
    key_signature musical_key NOT NULL DEFAULT 'UNKNOWN',
    key_confidence real,
    time_signature_numerator smallint NOT NULL DEFAULT 4,
    time_signature_denominator smallint NOT NULL DEFAULT 4,
    duration_seconds numeric(10, 3),
    note_count integer,
    pitch_count smallint,
    lowest_pitch smallint,
    highest_pitch smallint,
    average_velocity numeric(5, 2),
    polyphony smallint,
    is_percussive boolean NOT NULL DEFAULT false
);

CREATE TABLE categories (
    id smallserial,
    name text NOT NULL
);

CREATE TABLE file_categories (
    file_id bigint NOT NULL,
    category_id smallint NOT NULL,
    confidence real
);

CREATE TABLE instruments (
    id smallserial,
    name text NOT NULL
);

CREATE TABLE file_instruments (
    id bigserial,
    file_id bigint NOT NULL,
    channel smallint NOT NULL,
    instrument_id smallint NOT NULL,
    note_count integer
);

CREATE TABLE file_duplicates (
    id bigserial,
    original_file_id bigint NOT NULL,
    duplicate_file_id bigint NOT NULL CHECK (duplicate_file_id <> original_file_id),
    similarity real NOT NULL,
    detected_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE file_similarity (
    file_a_id bigint NOT NULL,
    file_b_id bigint NOT NULL CHECK (file_b_id <> file_a_id),
    score real NOT NULL
);

CREATE TABLE favorites (
    file_id bigint NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE playlists (
    id serial,
    name text NOT NULL
);

CREATE TABLE playlist_items (
    id bigserial,
    playlist_id integer NOT NULL,
    file_id bigint NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tracks (
    id bigserial,
    file_id bigint NOT NULL,
    track_number smallint NOT NULL,
    name text,
    channel smallint,
    note_count integer
);

CREATE TABLE midi_events (
    id bigserial,
    file_id bigint NOT NULL,
    tick integer NOT NULL,
    kind text NOT NULL,
    channel smallint,
    data1 smallint,
    data2 smallint
);

CREATE TABLE chord_progressions (
    id bigserial,
    file_id bigint NOT NULL,
    bar integer NOT NULL,
    chord text NOT NULL
);

CREATE TABLE tempo_changes (
    id bigserial,
    file_id bigint NOT NULL,
    tick integer NOT NULL,
    bpm numeric(6, 2) NOT NULL
);

CREATE TABLE time_signature_changes (
    id bigserial,
    file_id bigint NOT NULL,
    tick integer NOT NULL,
    numerator smallint NOT NULL,
    denominator smallint NOT NULL
);

CREATE TABLE key_changes (
    id bigserial,
    file_id bigint NOT NULL,
    tick integer NOT NULL,
    key_signature musical_key NOT NULL
);

CREATE TABLE lyrics (
    id bigserial,
    file_id bigint NOT NULL,
    tick integer NOT NULL,
    words text NOT NULL
);

CREATE TABLE file_ratings (
    id bigserial,
    file_id bigint NOT NULL,
    stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    rated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE file_comments (
    id bigserial,
    file_id bigint NOT NULL,
    comment text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE play_history (
    id bigserial,
    file_id bigint NOT NULL,
    played_at timestamptz NOT NULL DEFAULT now(),
    seconds numeric(10, 3)
);

CREATE TABLE audio_previews (
    file_id bigint NOT NULL,
    path text NOT NULL,
    size_bytes integer NOT NULL
);

CREATE TABLE import_jobs (
    id serial,
    source text NOT NULL,
    file_count integer NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);

CREATE TABLE import_items (
    id bigserial,
    import_job_id integer NOT NULL,
    file_id bigint NOT NULL,
    status text NOT NULL
);

CREATE TABLE analysis_errors (
    id bigserial,
    file_id bigint NOT NULL,
    message text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE file_exports (
    id bigserial,
    file_id bigint NOT NULL,
    format text NOT NULL,
    exported_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE drum_patterns (
    id bigserial,
    file_id bigint NOT NULL,
    bar integer NOT NULL,
    pattern text NOT NULL
);

CREATE TABLE melodic_patterns (
    id bigserial,
    file_id bigint NOT NULL,
    intervals text NOT NULL,
    repeats smallint NOT NULL
);

-- This trigger is here before the rows are, so that it writes each row's search vector.
CREATE FUNCTION files_search_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_vector :=
        setweight(to_tsvector('simple', translate(NEW.filename, '_.', '  ')), 'A')
        || setweight(to_tsvector('simple', concat_ws(' ', NEW.manufacturer, NEW.collection_name)), 'B');
    RETURN NEW;
END
$$;

CREATE TRIGGER files_search_vector BEFORE INSERT OR UPDATE OF filename, manufacturer, collection_name ON files
    FOR EACH ROW EXECUTE FUNCTION files_search_vector();
