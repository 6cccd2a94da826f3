-- Primary keys, unique indexes and the indexes that the queries use.

ALTER TABLE files ADD PRIMARY KEY (id);

ALTER TABLE files ADD CONSTRAINT files_filepath_key UNIQUE (filepath);

CREATE UNIQUE INDEX idx_files_content_hash ON files (content_hash);

CREATE INDEX idx_files_created_at ON files (created_at);

CREATE INDEX idx_files_collection ON files (manufacturer, collection_name);

CREATE INDEX idx_files_parent ON files (parent_file_id) WHERE parent_file_id IS NOT NULL;

CREATE INDEX idx_files_search ON files USING gin (search_vector);

ALTER TABLE tags ADD PRIMARY KEY (id), ADD UNIQUE (name);

ALTER TABLE file_tags ADD PRIMARY KEY (file_id, tag_id);

-- A later migration's covering index for "all files with this tag".
CREATE INDEX idx_file_tags_tag_id_file_id ON file_tags (tag_id, file_id);

ALTER TABLE musical_metadata ADD PRIMARY KEY (file_id);

CREATE INDEX idx_musical_metadata_bpm ON musical_metadata (bpm);

CREATE INDEX idx_musical_metadata_key ON musical_metadata (key_signature);

ALTER TABLE categories ADD PRIMARY KEY (id), ADD UNIQUE (name);

ALTER TABLE file_categories ADD PRIMARY KEY (file_id, category_id);

CREATE INDEX idx_file_categories_category ON file_categories (category_id);

ALTER TABLE instruments ADD PRIMARY KEY (id), ADD UNIQUE (name);

ALTER TABLE file_instruments ADD PRIMARY KEY (id), ADD UNIQUE (file_id, channel);

CREATE INDEX idx_file_instruments_instrument ON file_instruments (instrument_id);

ALTER TABLE file_duplicates ADD PRIMARY KEY (id), ADD UNIQUE (duplicate_file_id, original_file_id);

CREATE INDEX idx_file_duplicates_original ON file_duplicates (original_file_id);

ALTER TABLE file_similarity ADD PRIMARY KEY (file_a_id, file_b_id);

CREATE INDEX idx_file_similarity_b ON file_similarity (file_b_id);

ALTER TABLE favorites ADD PRIMARY KEY (file_id);

ALTER TABLE playlists ADD PRIMARY KEY (id), ADD UNIQUE (name);

ALTER TABLE playlist_items ADD PRIMARY KEY (id);

CREATE INDEX idx_playlist_items_playlist ON playlist_items (playlist_id);

CREATE INDEX idx_playlist_items_file ON playlist_items (file_id);

ALTER TABLE tracks ADD PRIMARY KEY (id), ADD UNIQUE (file_id, track_number);

ALTER TABLE midi_events ADD PRIMARY KEY (id);

CREATE INDEX idx_midi_events_file ON midi_events (file_id, tick);

ALTER TABLE chord_progressions ADD PRIMARY KEY (id), ADD UNIQUE (file_id, bar);

ALTER TABLE tempo_changes ADD PRIMARY KEY (id);

CREATE INDEX idx_tempo_changes_file ON tempo_changes (file_id);

ALTER TABLE time_signature_changes ADD PRIMARY KEY (id);

CREATE INDEX idx_time_signature_changes_file ON time_signature_changes (file_id);

ALTER TABLE key_changes ADD PRIMARY KEY (id);

CREATE INDEX idx_key_changes_file ON key_changes (file_id);

ALTER TABLE lyrics ADD PRIMARY KEY (id);

CREATE INDEX idx_lyrics_file ON lyrics (file_id);

ALTER TABLE file_ratings ADD PRIMARY KEY (id);

CREATE INDEX idx_file_ratings_file ON file_ratings (file_id);

ALTER TABLE file_comments ADD PRIMARY KEY (id);

CREATE INDEX idx_file_comments_file ON file_comments (file_id);

ALTER TABLE play_history ADD PRIMARY KEY (id);

CREATE INDEX idx_play_history_file ON play_history (file_id, played_at);

ALTER TABLE audio_previews ADD PRIMARY KEY (file_id);

ALTER TABLE import_jobs ADD PRIMARY KEY (id);

ALTER TABLE import_items ADD PRIMARY KEY (id);

CREATE INDEX idx_import_items_job ON import_items (import_job_id);

CREATE INDEX idx_import_items_file ON import_items (file_id);

ALTER TABLE analysis_errors ADD PRIMARY KEY (id);

CREATE INDEX idx_analysis_errors_file ON analysis_errors (file_id);

ALTER TABLE file_exports ADD PRIMARY KEY (id);

CREATE INDEX idx_file_exports_file ON file_exports (file_id);

ALTER TABLE drum_patterns ADD PRIMARY KEY (id), ADD UNIQUE (file_id, bar);

ALTER TABLE melodic_patterns ADD PRIMARY KEY (id);

CREATE INDEX idx_melodic_patterns_file ON melodic_patterns (file_id);
