-- 27 foreign keys in 25 tables point at files(id); five more point at the short tables. All are valid from the start.

ALTER TABLE file_tags ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_tags ADD FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE;

ALTER TABLE musical_metadata ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_categories ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_categories ADD FOREIGN KEY (category_id) REFERENCES categories (id) ON DELETE CASCADE;

ALTER TABLE file_instruments ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_instruments ADD FOREIGN KEY (instrument_id) REFERENCES instruments (id) ON DELETE CASCADE;

ALTER TABLE favorites ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE playlist_items ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE playlist_items ADD FOREIGN KEY (playlist_id) REFERENCES playlists (id) ON DELETE CASCADE;

ALTER TABLE tracks ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE midi_events ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE chord_progressions ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE tempo_changes ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE time_signature_changes ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE key_changes ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE lyrics ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_ratings ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_comments ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE play_history ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE audio_previews ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE import_items ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE import_items ADD FOREIGN KEY (import_job_id) REFERENCES import_jobs (id) ON DELETE CASCADE;

ALTER TABLE analysis_errors ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_exports ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE drum_patterns ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE melodic_patterns ADD FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE files ADD FOREIGN KEY (parent_file_id) REFERENCES files (id) ON DELETE SET NULL;

ALTER TABLE file_duplicates ADD FOREIGN KEY (original_file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_duplicates ADD FOREIGN KEY (duplicate_file_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_similarity ADD FOREIGN KEY (file_a_id) REFERENCES files (id) ON DELETE CASCADE;

ALTER TABLE file_similarity ADD FOREIGN KEY (file_b_id) REFERENCES files (id) ON DELETE CASCADE;
