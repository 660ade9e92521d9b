//! The statements of an apply: the file's sites in a temporary table, compared with `site`.

/// The temporary table of the file's sites. Compiling the statements that follow costs more than they do.
pub(super) const PREPARE: &str = "
    SET LOCAL jit = off;
    CREATE TEMPORARY TABLE webmon_apply (
        name text NOT NULL, url text NOT NULL, interval_ms int NOT NULL, timeout_ms int NOT NULL,
        enabled bool NOT NULL, labels jsonb NOT NULL, request jsonb NOT NULL, expect jsonb NOT NULL
    ) ON COMMIT DROP";

/// One chunk of them.
pub(super) const STAGE: &str = "
    INSERT INTO webmon_apply
    SELECT name, url, interval_ms, timeout_ms, enabled, labels::jsonb, request::jsonb, expect::jsonb
    FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bool[], $6::text[], $7::text[], $8::text[])
         AS file (name, url, interval_ms, timeout_ms, enabled, labels, request, expect)";

/// Sites that are new; they are checked at once.
pub(super) const CREATE: &str = "
    INSERT INTO site (name, url, interval_ms, timeout_ms, enabled, labels, request, expect, check_at)
    SELECT name, url, interval_ms, timeout_ms, enabled, labels, request, expect, now()
    FROM webmon_apply file
    WHERE NOT EXISTS (SELECT FROM site WHERE site.name = file.name)
    RETURNING site.name";

/// Sites that differ. A change of what is checked, or when, is checked at once; one of words is not.
pub(super) const CHANGE: &str = "
    UPDATE site
    SET url = file.url, interval_ms = file.interval_ms, timeout_ms = file.timeout_ms,
        enabled = file.enabled, labels = file.labels, request = file.request, expect = file.expect,
        check_at = CASE
            WHEN (site.url, site.interval_ms, site.timeout_ms, site.enabled, site.request, site.expect)
                IS DISTINCT FROM
                (file.url, file.interval_ms, file.timeout_ms, file.enabled, file.request, file.expect)
            THEN now() ELSE site.check_at END
    FROM webmon_apply file
    WHERE file.name = site.name
      AND (site.url, site.interval_ms, site.timeout_ms, site.enabled, site.labels, site.request, site.expect)
          IS DISTINCT FROM
          (file.url, file.interval_ms, file.timeout_ms, file.enabled, file.labels, file.request, file.expect)
    RETURNING site.name";

/// Sites that the file does not name.
pub(super) const REMOVE: &str = "
    DELETE FROM site
    WHERE NOT EXISTS (SELECT FROM webmon_apply file WHERE file.name = site.name)
    RETURNING site.name";

/// How many the file does not name.
pub(super) const COUNT_OTHERS: &str = "
    SELECT count(*) FROM site
    WHERE NOT EXISTS (SELECT FROM webmon_apply file WHERE file.name = site.name)";
