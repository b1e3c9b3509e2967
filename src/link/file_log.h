/* SPDX-License-Identifier: MIT */
/*
 * Finding records in an open log, see wire/record.h.  The file may grow, and be cut
 * back to where its last whole record ends, while this looks.
 *
 * Results are those of the system, negative and unmapped, where nothing else is said.
 */
#ifndef FERRYI_LINK_FILE_LOG_H
#define FERRYI_LINK_FILE_LOG_H

#include <stdint.h>

#include "wire/record.h"

enum ferryi_log_found {
	FERRYI_LOG_RECORD,  /* all its bytes are there */
	FERRYI_LOG_PARTIAL, /* its first line is right, and bytes are missing */
	FERRYI_LOG_NOTHING, /* no record, or the beginning of a first line */
};

/* What stands at `at` of a file of `size` bytes; an enum ferryi_log_found. */
int ferryi_log_look(int fd, uint64_t size, uint64_t at,
		    struct ferryi_record *out);

/* Whether the text is the one that was sent.  1, 0. */
int ferryi_log_check(int fd, const struct ferryi_record *r);

/* The first record at or behind `from` that is all there and right.  1, 0: none. */
int ferryi_log_find(int fd, uint64_t size, uint64_t from,
		    struct ferryi_record *out);

/*
 * Where the last whole record ends, looking from `from`, where one begins or may; 0:
 * nothing is known, and the end of the file is tried first.
 */
int ferryi_log_end(int fd, uint64_t size, uint64_t from, uint64_t *out);

/* The first line of the file: 1; 0: it is not all there; -EPROTO, -EBADMSG. */
int ferryi_log_is_one(int fd);

#endif
