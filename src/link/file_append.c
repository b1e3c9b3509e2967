/* SPDX-License-Identifier: MIT */
/*
 * Appending a record to a log: under a lock that the kernel drops when its holder
 * dies, with one write.
 *
 * A sender that was killed in its write, or found the disk full and could not cut
 * back, leaves the beginning of a record.  The next sender finds it, because the last
 * whole record ends before the file does, and cuts it off: it was never accepted.
 * What does not look like that is somebody else's, and nothing is appended to it.
 */
#include "link/file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "link/file_log.h"
#include "sys/appending.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/process.h"

/* --- with the lock ------------------------------------------------------------- */

static int foreign(struct ferry_link *l, uint64_t size, uint64_t at)
{
	return ferryi_fail(-EBADMSG,
			   "%s: the %" PRIu64 " bytes behind the last record, "
			   "at %" PRIu64 ", are not from a sender of ferry's "
			   "(remove them: truncate -s %" PRIu64 ")",
			   l->address, size - at, at, at);
}

/* Cut off what a write left that did not come to its end. */
static int cut(struct ferry_link *l, uint64_t size, uint64_t at)
{
	int fd = ferryi_file_of(l)->out.fd, err;
	char begin[32];
	ssize_t n = ferryi_read_at(fd, begin, sizeof begin, at);

	if (n >= 0 && !ferryi_record_is_torn(begin, (size_t)n, at))
		return foreign(l, size, at);
	err = n < 0 ? (int)n : ferryi_resize(fd, at);
	return err ? ferryi_file_trouble(l, err, "cutting off a torn record") :
		     0;
}

/* An empty file, or the beginning of its first line, is one to begin anew. */
static int begin_log(struct ferry_link *l, uint64_t *out_size)
{
	int fd = ferryi_file_of(l)->out.fd, r = ferryi_log_is_one(fd);

	if (r == 1)
		return 0;
	if (r < 0)
		return ferryi_file_trouble(l, r, "reading it");
	if (*out_size)
		r = ferryi_resize(fd, 0);
	*out_size = 0;
	return r ? ferryi_file_trouble(l, r, "cutting off a torn line") : 0;
}

/* The end of the last whole record.  Others may have emptied the file and filled it
 * again, so that what is known of it is wrong: then all of it is read. */
static int find_end(struct ferry_link *l, uint64_t size, uint64_t *out)
{
	struct ferryi_file *f = ferryi_file_of(l);
	uint64_t known = f->out.end <= size ? f->out.end : 0;
	int err = ferryi_log_end(f->out.fd, size, known, out);

	if (!err && *out != size && known)
		err = ferryi_log_end(f->out.fd, size, FERRYI_RECORD_START, out);
	return err ? ferryi_file_trouble(l, err, "reading it") : 0;
}

/* Where the record goes: *out is 0 for a log that has no first line yet. */
static int prepare(struct ferry_link *l, uint64_t *out)
{
	struct ferryi_file *f = ferryi_file_of(l);
	struct stat st;
	uint64_t size;
	int err = ferryi_stat(f->out.fd, &st);

	*out = 0;
	if (err)
		return ferryi_file_trouble(l, err, "looking at it");
	size = (uint64_t)st.st_size;
	if (size == 0 || f->out.end != size) {
		err = begin_log(l, &size);
		if (err || size == 0)
			return err;
		err = find_end(l, size, out);
		if (err || *out == size)
			return err;
		return cut(l, size, *out);
	}
	*out = size;
	return 0;
}

static int not_written(struct ferry_link *l, int err, uint64_t at)
{
	struct ferryi_file *f = ferryi_file_of(l);

	ferryi_resize(f->out.fd, at); /* or the next sender does it */
	f->out.end = 0;
	if (err == -ENOSPC || err == -EDQUOT)
		return ferryi_fail(-ENOSPC,
				   "%s: the disk is full, and the log is as it "
				   "was (make room)",
				   l->address);
	if (err == -EFBIG)
		return ferryi_fail(
			-ENOSPC,
			"%s: the log would be larger than a file may "
			"be (ulimit -f, or begin a new one)",
			l->address);
	return ferryi_file_trouble(l, err, "writing to it");
}

static int write_record(struct ferry_link *l, const void *data, size_t len,
			uint32_t crc, uint64_t at)
{
	struct ferryi_file *f = ferryi_file_of(l);
	size_t first = at ? 0 : FERRYI_RECORD_START;
	struct ferryi_record r = { .at = at + first,
				   .len = len,
				   .sent_us = ferryi_wall() / 1000,
				   .pid = ferryi_identity()->pid,
				   .crc = crc };
	char head[FERRYI_RECORD_HEAD_MAX];
	struct iovec v[4] = { { (char *)FERRYI_RECORD_FIRST, first },
			      { head, ferryi_record_format(&r, head) },
			      { (void *)(uintptr_t)data, len },
			      { (char *)"\n", 1 } };
	int err = ferryi_append_write(f->out.fd, v, 4, at);

	if (!err && f->sync)
		err = ferryi_append_sync(f->out.fd);
	if (err)
		return not_written(l, err, at);
	f->out.end = ferryi_record_end(&r);
	return 0;
}

int ferryi_file_append(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_file *f = ferryi_file_of(l);
	uint64_t at = 0;
	uint32_t crc;
	int err;

	if (len > f->max)
		return ferryi_fail(-EMSGSIZE,
				   "%s: a message of %zu bytes is longer than "
				   "%" PRIu64 " (max=, at most 1G)",
				   l->address, len, f->max);
	err = ferryi_file_own_again(l);
	if (err)
		return err;
	crc = ferryi_crc32(0, data, len);
	err = ferryi_lock_try(f->out.fd, FERRYI_FILE_LOCK_AT, 1);
	if (err)
		return err == -EAGAIN ?
			       err :
			       ferryi_file_trouble(l, err, "locking it");
	err = ferryi_file_replaced(l, f->out.fd);
	if (!err)
		err = prepare(l, &at);
	if (!err)
		err = write_record(l, data, len, crc, at);
	ferryi_lock_drop(f->out.fd, FERRYI_FILE_LOCK_AT, 1);
	return err;
}
