/* SPDX-License-Identifier: MIT */
/*
 * Reading a log, from the reader's own position.
 *
 * Nothing but a whole record whose checksums are right is given out.  What is not one
 * at the end of the file is a record that is being written, or one whose sender was
 * killed and that the next sender will cut off: it is waited for.  What is not one
 * with records behind it is damage: it is told once, and then the next record comes.
 */
#include "link/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/file_log.h"
#include "sys/appending.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/process.h"

#define LOOK_AGAIN 1 /* somebody has just changed it */

static int damaged(struct ferry_link *l, uint64_t next)
{
	struct ferryi_file *f = ferryi_file_of(l);
	uint64_t at = f->in.at;

	f->in.at = next;
	return ferryi_fail(-EBADMSG,
			   "%s: the log is damaged at %" PRIu64
			   " (the next receive goes on at %" PRIu64 ")",
			   l->address, at, next);
}

/* --- where the next record is -------------------------------------------------- */

static int measure(struct ferry_link *l, uint64_t *out_size)
{
	struct ferryi_file *f = ferryi_file_of(l);
	struct stat st;
	int err = ferryi_stat(f->in.fd, &st);

	if (err)
		return ferryi_file_trouble(l, err, "looking at it");
	*out_size = (uint64_t)st.st_size;
	if (*out_size >= f->in.at || !f->in.is_log)
		return 0;
	return ferryi_fail(-ESTALE,
			   "%s: the file was cut to %" PRIu64 " bytes, before "
			   "the position %" PRIu64 " of this reader (open it "
			   "anew)",
			   l->address, *out_size, f->in.at);
}

/* An empty file may become a log, and something else as well. */
static int check_first(struct ferry_link *l)
{
	struct ferryi_file *f = ferryi_file_of(l);
	int r = f->in.is_log ? 1 : ferryi_log_is_one(f->in.fd);

	f->in.is_log = r == 1;
	return r == 0 ? -EAGAIN :
	       r < 0  ? ferryi_file_trouble(l, r, "reading it") :
			0;
}

/* No record is at the position: is there one behind it? */
static int look_beyond(struct ferry_link *l, uint64_t size)
{
	struct ferryi_file *f = ferryi_file_of(l);
	struct ferryi_record next, here;
	int r;

	if (f->in.at == size || f->in.barren == size)
		return -EAGAIN;
	r = ferryi_log_find(f->in.fd, size, f->in.at + 1, &next);
	if (r < 0)
		return ferryi_file_trouble(l, r, "reading it");
	if (r == 0) {
		f->in.barren = size;
		return -EAGAIN;
	}
	/* Two senders may have cut it off and gone on since. */
	r = ferryi_log_look(f->in.fd, size, f->in.at, &here);
	return r == FERRYI_LOG_NOTHING ? damaged(l, next.at) : LOOK_AGAIN;
}

/* 0: *out is all there; what it says of its text is not compared yet. */
static int look(struct ferry_link *l, struct ferryi_record *out)
{
	struct ferryi_file *f = ferryi_file_of(l);
	int err = check_first(l), found;
	uint64_t size = 0;

	if (!err)
		err = measure(l, &size);
	if (err)
		return err;
	found = ferryi_log_look(f->in.fd, size, f->in.at, out);
	if (found < 0)
		return ferryi_file_trouble(l, found, "reading it");
	if (found == FERRYI_LOG_NOTHING)
		return look_beyond(l, size);
	return found == FERRYI_LOG_RECORD ? 0 : -EAGAIN;
}

static void forget_news(struct ferryi_file *f)
{
	if (f->in.woken && f->in.generation == ferryi_generation())
		ferryi_append_heard(f->in.watch);
	f->in.woken = false;
}

static int find_next(struct ferry_link *l, struct ferryi_record *out)
{
	int err;

	while ((err = look(l, out)) == LOOK_AGAIN)
		;
	return err;
}

/*
 * What is left in a file that has lost its name is read first.  A sender looks at the
 * name when it has the lock, and writes after that: once the name is gone, and then
 * the lock is free, every record that will ever be accepted is in the file.
 */
static int locate(struct ferry_link *l, struct ferryi_record *out)
{
	struct ferryi_file *f = ferryi_file_of(l);
	int err, replaced;

	forget_news(f);
	err = find_next(l, out);
	if (err != -EAGAIN)
		return err;
	replaced = ferryi_file_replaced(l, f->in.fd);
	if (!replaced ||
	    ferryi_lock_held(f->in.fd, FERRYI_FILE_LOCK_AT, 1) == 1)
		return -EAGAIN;
	err = find_next(l, out);
	return err == -EAGAIN ? replaced : err;
}

/* --- taking it -------------------------------------------------------------------- */

static bool same(const struct ferryi_record *a, const struct ferryi_record *b)
{
	return a->len == b->len && a->sent_us == b->sent_us &&
	       a->pid == b->pid && a->crc == b->crc;
}

/* The text is not the one that was sent.  At the end of the file it may never have
 * come to the disk; and a torn record may have been replaced meanwhile. */
static int wrong_text(struct ferry_link *l, const struct ferryi_record *r)
{
	struct ferryi_file *f = ferryi_file_of(l);
	uint64_t end = ferryi_record_end(r), size = 0;
	struct ferryi_record again;
	int err = measure(l, &size);

	if (err)
		return err;
	if (size <= end ||
	    ferryi_log_look(f->in.fd, size, r->at, &again) !=
		    FERRYI_LOG_RECORD ||
	    !same(r, &again))
		return -EAGAIN;
	return damaged(l, end);
}

/* The text into `buf`, which has room for it; then the position moves on. */
static int read_text(struct ferry_link *l, const struct ferryi_record *r,
		     void *buf)
{
	struct ferryi_file *f = ferryi_file_of(l);
	char last = 0;
	ssize_t n = ferryi_append_read(f->in.fd, buf, r->len, &last,
				       r->at + r->head);

	if (n < 0)
		return ferryi_file_trouble(l, (int)n, "reading it");
	if ((uint64_t)n != r->len + 1 || last != '\n' ||
	    ferryi_crc32(0, buf, r->len) != r->crc)
		return wrong_text(l, r);
	f->in.at = ferryi_record_end(r);
	return 0;
}

/* Before anything is said of its length. */
static int check_text(struct ferry_link *l, const struct ferryi_record *r)
{
	int right = ferryi_log_check(ferryi_file_of(l)->in.fd, r);

	if (right < 0)
		return ferryi_file_trouble(l, right, "reading it");
	return right ? 0 : wrong_text(l, r);
}

ssize_t ferryi_file_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_record r;
	int err = locate(l, &r);

	if (err)
		return err;
	if (r.len > size) {
		err = check_text(l, &r);
		return err ? err : -EMSGSIZE;
	}
	err = read_text(l, &r, buf);
	return err ? err : (ssize_t)r.len;
}

ssize_t ferryi_file_next_len(struct ferry_link *l)
{
	struct ferryi_record r;
	int err = locate(l, &r);

	if (!err)
		err = check_text(l, &r);
	return err ? err : (ssize_t)r.len;
}

int ferryi_file_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_file *f = ferryi_file_of(l);
	struct ferryi_record r;
	int err = locate(l, &r);

	if (!err)
		err = ferryi_copies_new(&f->copies, l, r.len, m);
	if (err)
		return err;
	err = read_text(l, &r, m->data);
	if (err) {
		ferryi_copies_drop(&f->copies, m);
		return err;
	}
	m->seq = r.at;
	m->id = f->in.at;
	m->sent_at = r.sent_us * 1000;
	m->sender.pid = (pid_t)r.pid;
	return 0;
}
