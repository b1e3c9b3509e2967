/* SPDX-License-Identifier: MIT */
/* See file_log.h. */
#include "link/file_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/files.h"

#define WINDOW 65536u /* bytes that are looked through at a time */

/* Of the end of the file: a record of the default maximum, and the lines of two. */
#define TAIL_MAX ((1u << 20) + 4 * FERRYI_RECORD_HEAD_MAX)

int ferryi_log_look(int fd, uint64_t size, uint64_t at,
		    struct ferryi_record *out)
{
	char head[FERRYI_RECORD_HEAD_MAX];
	ssize_t n = ferryi_read_at(fd, head, sizeof head, at);

	if (n < 0)
		return (int)n;
	if (ferryi_record_parse(head, (size_t)n, at, out) != 1)
		return FERRYI_LOG_NOTHING;
	return ferryi_record_end(out) <= size ? FERRYI_LOG_RECORD :
						FERRYI_LOG_PARTIAL;
}

/* With a buffer of WINDOW bytes. */
static int check_with(int fd, const struct ferryi_record *r, char *buf)
{
	uint64_t at = r->at + r->head, left = r->len;
	uint32_t crc = 0;
	char last = 0;
	ssize_t n;

	while (left) {
		n = ferryi_read_at(fd, buf, left < WINDOW ? left : WINDOW, at);
		if (n <= 0)
			return (int)n;
		crc = ferryi_crc32(crc, buf, (size_t)n);
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
	n = ferryi_read_at(fd, &last, 1, at);
	return n < 0 ? (int)n : crc == r->crc && last == '\n';
}

int ferryi_log_check(int fd, const struct ferryi_record *r)
{
	char *buf = malloc(WINDOW);
	int right = buf ? check_with(fd, r, buf) : -ENOMEM;

	free(buf);
	return right;
}

/* --- the next one ----------------------------------------------------------- */

/* In the `n` bytes at `at`, which follow `before`.  1, 0, or an error. */
static int find_in(int fd, uint64_t size, const char *buf, size_t n,
		   uint64_t at, char before, struct ferryi_record *out)
{
	size_t done = 0;
	int64_t i;
	int r;

	while ((i = ferryi_record_find(buf + done, n - done, at + done,
				       done ? buf[done - 1] : before, out)) >=
	       0) {
		r = ferryi_record_end(out) <= size ? ferryi_log_check(fd, out) :
						     0;
		if (r != 0)
			return r;
		done += (size_t)i + 1;
	}
	return 0;
}

static int find_with(int fd, uint64_t size, uint64_t from,
		     struct ferryi_record *out, char *buf)
{
	char before = '\n';
	ssize_t n;
	int r;

	if (from > FERRYI_RECORD_START) {
		n = ferryi_read_at(fd, &before, 1, from - 1);
		if (n <= 0)
			return (int)n;
	}
	while (from < size) {
		n = ferryi_read_at(fd, buf, WINDOW, from);
		if (n <= 0)
			return (int)n;
		r = find_in(fd, size, buf, (size_t)n, from, before, out);
		if (r != 0 || (size_t)n < WINDOW)
			return r;
		/* a first line may lie across the end of the window */
		n -= (ssize_t)FERRYI_RECORD_HEAD_MAX;
		before = buf[n - 1];
		from += (uint64_t)n;
	}
	return 0;
}

int ferryi_log_find(int fd, uint64_t size, uint64_t from,
		    struct ferryi_record *out)
{
	char *buf = malloc(WINDOW);
	int r;

	if (from < FERRYI_RECORD_START)
		from = FERRYI_RECORD_START;
	r = buf ? find_with(fd, size, from, out, buf) : -ENOMEM;
	free(buf);
	return r;
}

/* --- the end ---------------------------------------------------------------- */

/* In the bytes before `x`, is there a right line that claims what is at `x`? */
static bool is_claimed(const char *buf, size_t len, uint64_t at,
		       const struct ferryi_record *x)
{
	struct ferryi_record r;

	for (size_t i = (size_t)(x->at - at); i-- > 1;)
		if (buf[i] == '#' && buf[i - 1] == '\n' &&
		    ferryi_record_may_reach(buf + i, len - i, at + i, x->at) &&
		    ferryi_record_parse(buf + i, len - i, at + i, &r) == 1 &&
		    ferryi_record_end(&r) > x->at)
			return true;
	return false;
}

/*
 * Does a record that is right end just where the file does?  It may be a forged one
 * in the text of another, which is torn just there: then nothing is known.  1, 0.
 */
static int ends_whole(int fd, uint64_t size, char *buf, size_t len)
{
	uint64_t at = size - len;
	ssize_t n = ferryi_read_at(fd, buf, len, at);
	struct ferryi_record r;

	if (n < 0 || (size_t)n < len)
		return n < 0 ? (int)n : 0;
	for (size_t i = len; i-- > 1;)
		if (buf[i] == '#' && buf[i - 1] == '\n' &&
		    ferryi_record_parse(buf + i, len - i, at + i, &r) == 1 &&
		    ferryi_record_end(&r) == size)
			return is_claimed(buf, len, at, &r) ?
				       0 :
				       ferryi_log_check(fd, &r);
	return 0;
}

static int try_tail(int fd, uint64_t size)
{
	size_t len = size < TAIL_MAX ? (size_t)size : TAIL_MAX;
	char *buf = malloc(len ? len : 1);
	int r = buf ? ends_whole(fd, size, buf, len) : -ENOMEM;

	free(buf);
	return r;
}

/*
 * What the last whole record may be followed by: 1: *out, and it stays; 0: nothing.
 * A first line that is right is believed: what it claims belongs to that record, even
 * if its text looks like others, and is damaged when there is more behind it.
 */
static int step(int fd, uint64_t size, uint64_t at, struct ferryi_record *out)
{
	int found = ferryi_log_look(fd, size, at, out);

	if (found == FERRYI_LOG_NOTHING)
		return ferryi_log_find(fd, size, at + 1, out);
	if (found != FERRYI_LOG_RECORD)
		return found < 0 ? found : 0;
	found = ferryi_log_check(fd, out);
	return found == 0 ? ferryi_record_end(out) < size : found;
}

int ferryi_log_end(int fd, uint64_t size, uint64_t from, uint64_t *out)
{
	struct ferryi_record r;
	int found;

	if (from == 0 && (found = try_tail(fd, size)) != 0) {
		*out = size;
		return found < 0 ? found : 0;
	}
	*out = from > FERRYI_RECORD_START ? from : FERRYI_RECORD_START;
	while (*out < size) {
		found = step(fd, size, *out, &r);
		if (found <= 0)
			return found;
		*out = ferryi_record_end(&r);
	}
	return 0;
}

int ferryi_log_is_one(int fd)
{
	char first[FERRYI_RECORD_START];
	ssize_t n = ferryi_read_at(fd, first, sizeof first, 0);

	return n < 0 ? (int)n : ferryi_record_check_first(first, (size_t)n);
}
