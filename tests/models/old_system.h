/* A database as the old system leaves it, for the tests of the import: its SQLite file, and the same as a dump. */
#ifndef TESTS_MODELS_OLD_SYSTEM_H
#define TESTS_MODELS_OLD_SYSTEM_H

/* Creates the tables that the import reads, empty. */
void old_system_create(const char *path);
/* 101 levels and `members` members, among them odd ones: extreme points, empty and missing names, hidden, dates at
 * the ends of the scale. All dates have whole milliseconds. */
void old_system_seed(const char *path, int members);
/* Writes what "manage.py dumpdata wall_e_models" would: dates with milliseconds and the offset of the Pacific zone or
 * Z. */
void old_system_dump(const char *path, const char *json_path);

#endif
