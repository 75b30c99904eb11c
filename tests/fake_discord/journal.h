/* The journal of REST calls: a bounded list in memory, and lines in a file. Tokens in addresses are replaced before they get here. */
#ifndef FAKE_JOURNAL_H
#define FAKE_JOURNAL_H

#include "fake.h"

#define JOURNAL_MAX       65536
#define JOURNAL_MAX_BYTES ((size_t)64 << 20)

/* -errno: the file cannot be opened. */
int journal_create(struct fake *fake, struct journal **ret_journal);
void journal_destroy(struct journal *journal);
/* Copies all of it and numbers it. */
void journal_add(struct journal *journal, const struct fake_call *call);
/* One call as rest_lint.py reads it, without the line break. */
void journal_write_line(const struct fake_call *call, struct str *out);

#endif
