-- A group is updated by each batch that names it (its place in log order),
-- its topics are half of the row and hardly ever change: kept apart, they are
-- not copied and not logged again.
ALTER TABLE groups ALTER COLUMN topics SET STORAGE EXTERNAL;
ALTER TABLE groups ALTER COLUMN name SET STORAGE MAIN;
ALTER TABLE groups ALTER COLUMN urlname SET STORAGE MAIN;
ALTER TABLE groups ALTER COLUMN city SET STORAGE MAIN;
ALTER TABLE groups ALTER COLUMN state SET STORAGE MAIN;
ALTER TABLE groups ALTER COLUMN country SET STORAGE MAIN;
ALTER TABLE groups SET (toast_tuple_target = 256);
