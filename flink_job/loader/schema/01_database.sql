-- Where do the results live? In one database, so that rights and backups have one name to hold on to.
CREATE DATABASE IF NOT EXISTS ctr
