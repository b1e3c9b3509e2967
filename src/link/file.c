/* SPDX-License-Identifier: MIT */
/*
 * file:PATH: a log in a file.  Many append records, and every reader sees every
 * record, from its own position.  It stays until it is removed, and what was accepted
 * survives the death of everybody; with ?sync the machine's, too.
 *
 *	file.c		the table, waiting, the end
 *	file_open.c	addresses, opening, removing
 *	file_own.c	its open file, and forks
 *	file_append.c	the sending side
 *	file_read.c	the receiving side
 *	file_log.c	records in an open file
 *	wire/record.c	the bytes of one
 *
 * A reader waits for word from inotify, and looks once a second beside that, for
 * what other machines write to a shared file system.  Where no inotify is to be had
 * it looks again after 1 ms, 2, 4, 8 and then every 10 ms, as does a sender for the
 * lock.
 */
#include "link/file.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/queues.h"
#include "link/traces.h"
#include "sys/appending.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/process.h"

#define LOOK_FIRST  FERRY_MS(1)
#define LOOK_MOST   FERRY_MS(10)
#define LOOK_BESIDE FERRY_S(1)

/* --- sentences ------------------------------------------------------------------ */

int ferryi_file_trouble(struct ferry_link *l, int err, const char *doing)
{
	switch (err) {
	case -EBADMSG:
		return ferryi_fail(-EBADMSG,
				   "%s is not a log of ferry's (choose another "
				   "path)",
				   l->address);
	case -EPROTO:
		return ferryi_fail(-EPROTO,
				   "%s is a log of another version of ferry, "
				   "this one knows 1",
				   l->address);
	}
	return ferryi_fail_sys(-err, "%s: %s failed: %s", l->address, doing,
			       strerror(-err));
}

int ferryi_file_stale(struct ferry_link *l, const char *what)
{
	return ferryi_fail(-ESTALE,
			   "%s: the file was %s since it was opened (open it "
			   "anew)",
			   l->address, what);
}

int ferryi_file_replaced(struct ferry_link *l, int fd)
{
	struct stat open, named;
	int err = ferryi_stat(fd, &open);

	if (err)
		return ferryi_file_trouble(l, err, "looking at it");
	err = ferryi_append_stat(ferryi_file_of(l)->path, &named);
	if (err == 0 && open.st_dev == named.st_dev &&
	    open.st_ino == named.st_ino)
		return 0;
	if (err && err != -ENOENT && err != -ENOTDIR)
		return 0; /* who may no longer look there keeps what it has */
	return ferryi_file_stale(l, err ? "removed" : "replaced");
}

/* --- waiting -------------------------------------------------------------------------- */

/* A watch of this process's own; true: there is a new one, look again first. */
static bool watch(struct ferryi_file *f)
{
	if (f->in.generation == ferryi_generation())
		return false;
	ferryi_close(f->in.watch);
	f->in.watch = ferryi_append_watch(f->in.fd);
	f->in.generation = ferryi_generation();
	return true;
}

static int file_interest(struct ferry_link *l, enum ferryi_want want,
			 struct ferryi_wait *w)
{
	struct ferryi_file *f = ferryi_file_of(l);
	ferry_time *nap = &f->nap[want == FERRYI_WANT_RECV];

	if (want == FERRYI_WANT_RECV && watch(f))
		return 1;
	if (want == FERRYI_WANT_RECV && f->in.watch >= 0) {
		f->in.woken = true;
		ferryi_wait_fd(w, f->in.watch, POLLIN);
		ferryi_wait_tick(w, ferryi_now() + LOOK_BESIDE);
		return 0;
	}
	*nap = w->slept ? 2 * *nap : LOOK_FIRST;
	if (*nap > LOOK_MOST)
		*nap = LOOK_MOST;
	ferryi_wait_tick(w, ferryi_now() + *nap);
	return 0;
}

/* --- the rest --------------------------------------------------------------------------- */

static int file_loan(struct ferry_link *l, size_t len, struct ferry_message *m)
{
	return ferryi_copies_new(&ferryi_file_of(l)->copies, l, len, m);
}

static int file_end(struct ferry_link *l, struct ferry_message *m)
{
	return ferryi_copies_drop(&ferryi_file_of(l)->copies, m);
}

static int file_commit(struct ferry_link *l, struct ferry_message *m)
{
	int err = ferryi_copies_check(&ferryi_file_of(l)->copies, m);

	if (!err)
		err = ferryi_queue_no_type(m);
	if (!err)
		err = ferryi_file_append(l, m->data, m->len);
	return err ? err : file_end(l, m);
}

static int file_identify(const char *rest, struct ferryi_traces *out)
{
	struct stat st;
	int err = ferryi_queue_identify("file", rest, &st);

	return err ? err : ferryi_traces_of_file(out, &st);
}

static int file_explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_file *f = ferryi_file_of(l);

	if (err != -EAGAIN && err != -ETIMEDOUT)
		return 0;
	if (l->flags == FERRY_SEND)
		return snprintf(buf, size, "%s: another process is appending",
				l->address);
	/* Two threads may use the directions: which one asks is not known. */
	return snprintf(buf, size,
			"%s: nothing new behind position %" PRIu64 "%s",
			l->address, f->in.at,
			l->flags & FERRY_SEND ?
				"; or, for a send, another process is "
				"appending" :
				"");
}

static void file_fini(struct ferry_link *l)
{
	struct ferryi_file *f = ferryi_file_of(l);

	if (!f->opened)
		return;
	ferryi_copies_fini(&f->copies);
	ferryi_close(f->in.watch);
	ferryi_close(f->in.fd);
	ferryi_file_disown(f);
	free(f->path);
}

static const struct ferryi_messages file_messages = {
	.send = ferryi_file_append,
	.recv = ferryi_file_recv,
	.next_len = ferryi_file_next_len,
	.loan = file_loan,
	.commit = file_commit,
	.abandon = file_end,
	.take = ferryi_file_take,
	.release = file_end,
};

const struct ferryi_transport ferryi_transport_file = {
	.info = {
		.scheme = "file",
		.summary = "a log in a file, for everybody who reads it",
		.naming = "path",
		.framing = "message",
		.direction = "many to all",
		.buffering = "disk",
		.persistence = "file",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX |
			    FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			    FERRY_CAN_MANY_SEND | FERRY_CAN_NAME |
			    FERRY_CAN_PERSIST | FERRY_CAN_BROADCAST |
			    FERRY_CAN_TICK,
	},
	.keys = "from max mode sync",
	.state_size = sizeof(struct ferryi_file),
	.open = ferryi_file_open,
	.destroy = ferryi_file_destroy,
	.identify = file_identify,
	.figures = ferryi_file_figures,
	.fini = file_fini,
	.interest = file_interest,
	.explain = file_explain,
	.messages = &file_messages,
};
