/* SPDX-License-Identifier: MIT */
/*
 * Listen and accept at a FIFO.  The file of the address is the well-known one.  A
 * client makes two of its own beside it, opens one of them to read, and announces
 * their number with one small write.  Who accepts opens both, and writes one byte
 * into the one that the client reads; the client then opens the other, and removes
 * both names.
 *
 * Nobody waits for the other in the middle: a client that has announced itself is
 * ready to be answered, so one that cannot be is dead, and is passed by.  A client
 * that dies after that is the end of its link.  Names that a dead client has left
 * are removed by who accepts, or by who comes next: see fifo_sweep.c.
 *
 * Who may write to the well-known FIFO may announce any number.  A number leads to
 * names in its directory only; what is there must be two FIFOs without another
 * name, of one owner, who is the server's user or root, or anybody where the
 * permissions of the well-known one let others in.
 */
#include <errno.h>
#include <poll.h>

#include "base/error.h"
#include "link/fifo.h"
#include "sys/clock.h"
#include "sys/fifos.h"
#include "sys/files.h"
#include "sys/process.h"
#include "sys/sockets.h"
#include "sys/stream.h"

#define ANNOUNCEMENTS 16u /* that one attempt looks at */
#define READS	      64u /* after which somebody floods us */
#define OTHERS	      0066u
#define LOST_AFTER    FERRY_MS(100)

static const char accepted[1] = { 1 };

/* --- the door ------------------------------------------------------------------ */

int ferryi_fifo_meet_listen(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	int fd = ferryi_fifo_take(l, false);

	if (fd < 0)
		return fd;
	ferryi_endpoint_set(l, fd, -1);
	if (ferryi_directory_lock_try(f->dir) == 0) {
		ferryi_fifo_sweep(f->dir);
		ferryi_directory_unlock(f->dir);
	}
	/* So that it does not end between two clients. */
	f->hold = ferryi_fifo_reach(l);
	return f->hold < 0 ? f->hold : 0;
}

/* The next number that was announced.  0, -EAGAIN, or why nothing can be read. */
static int next_number(struct ferry_link *door, uint64_t *out)
{
	struct ferryi_fifo *f = ferryi_fifo_of(door);
	ssize_t n;

	*out = f->deferred;
	f->deferred = 0;
	for (unsigned i = 0; i < READS && !*out; i++) {
		n = ferryi_fd_read(f->end.in, f->note + f->n_note,
				   sizeof f->note - f->n_note);
		if (n == 0 || n == -EAGAIN)
			return -EAGAIN;
		if (n < 0)
			return ferryi_fifo_fail(door, (int)n);
		f->n_note += (size_t)n;
		if (!ferryi_announce_find(f->note, &f->n_note, out))
			*out = 0;
	}
	return *out ? 0 : -EAGAIN;
}

static bool is_allowed(const struct ferryi_fifo *f, int in, int out)
{
	unsigned me = ferryi_uid();
	struct stat at, one, two;

	if (ferryi_stat(f->end.in, &at) != 0 || ferryi_stat(in, &one) != 0 ||
	    ferryi_stat(out, &two) != 0)
		return false;
	return one.st_nlink == 1 && two.st_nlink == 1 &&
	       one.st_uid == two.st_uid &&
	       (one.st_uid == me || one.st_uid == 0 || at.st_mode & OTHERS);
}

static void end_both(int in, int out)
{
	if (in >= 0)
		ferryi_close(in);
	if (out >= 0)
		ferryi_close(out);
}

static bool is_exhausted(int fd)
{
	return fd == -EMFILE || fd == -ENFILE;
}

/*
 * The ends of a client's FIFOs.  0; -EMFILE; -EBADMSG: it is none, or is dead; what a
 * dead one has left is removed.
 */
static int answer(struct ferryi_fifo *f, uint64_t number, int *in, int *out)
{
	char to_server[FERRYI_ANNOUNCED_NAME], to_client[FERRYI_ANNOUNCED_NAME];
	int err = 0;

	ferryi_announced_name(to_server, number, FERRYI_TO_SERVER);
	ferryi_announced_name(to_client, number, FERRYI_TO_CLIENT);
	*in = ferryi_fifo_open(f->dir, to_server, false);
	*out = ferryi_fifo_open(f->dir, to_client, true);
	if (is_exhausted(*in) || is_exhausted(*out))
		err = -EMFILE;
	else if (*in < 0 || (*out < 0 && *out != -ENXIO) ||
		 (*out >= 0 && !is_allowed(f, *in, *out)))
		err = -EBADMSG;
	else {
		ferryi_fifo_lock_try(*in); /* it is in use: fifo_sweep.c */
		ferryi_unlink(f->dir, to_client);
		/* X3: the client knows nothing yet, and its other name is there */
		if (*out == -ENXIO || ferryi_fd_write(*out, accepted, 1) != 1) {
			ferryi_unlink(f->dir, to_server);
			err = -EBADMSG;
		}
	}
	if (err)
		end_both(*in, *out);
	return err;
}

static int no_descriptor(struct ferry_link *door)
{
	return ferryi_fail(-EMFILE,
			   "%s: no descriptor is left for a client (raise "
			   "ulimit -n)",
			   door->address);
}

/* The name of the client's FIFO goes when the client has it open, or at our end. */
static int make_peer(struct ferry_link *peer, uint64_t number)
{
	struct ferryi_fifo *p = ferryi_fifo_of(peer);

	p->accepted = true;
	ferryi_announced_name(p->file, number, FERRYI_TO_SERVER);
	return ferryi_fifo_own(p, p->end.in);
}

/* Before somebody is told that he has been accepted. */
static int prepare(struct ferryi_fifo *p, int dir)
{
	if (p->begun)
		return 0;
	p->hold = p->knock = -1;
	p->dir = ferryi_fd_dup(dir);
	p->begun = p->dir >= 0;
	return p->begun ? 0 : -EMFILE;
}

int ferryi_fifo_meet_accept(struct ferry_link *door, struct ferry_link *peer)
{
	struct ferryi_fifo *f = ferryi_fifo_of(door);
	uint64_t number;
	int in, out, err;

	for (unsigned i = 0; i < ANNOUNCEMENTS; i++) {
		err = next_number(door, &number);
		if (err)
			return err;
		err = prepare(ferryi_fifo_of(peer), f->dir);
		if (!err)
			err = answer(f, number, &in, &out);
		if (err == -EMFILE) {
			f->deferred = number;
			return no_descriptor(door);
		}
		if (err)
			continue;
		ferryi_endpoint_set(peer, in, out);
		return make_peer(peer, number);
	}
	return -EAGAIN;
}

/*
 * The client opens that name after it was told, and a process that we have forked may
 * have the link: then the name is still needed.  The lock on the FIFO goes with the
 * last of us that reads it, so when it is free nobody has the link any more.  Who
 * cannot ask leaves the name to the client, or to fifo_sweep.c.
 */
void ferryi_fifo_meet_left(struct ferryi_fifo *p)
{
	int fd;

	if (!p->made)
		return;
	fd = ferryi_fifo_open(p->dir, p->file, false);
	if (fd < 0)
		return;
	if (ferryi_fifo_lock_try(fd) == 0)
		ferryi_fifo_remove(p);
	ferryi_close(fd);
}

/* --- a client ------------------------------------------------------------------ */

static void remove_names(struct ferryi_fifo *f)
{
	char name[FERRYI_ANNOUNCED_NAME];

	for (int which = 0; which < 2 && f->number; which++) {
		ferryi_announced_name(name, f->number, which);
		ferryi_unlink(f->dir, name);
	}
	f->number = 0;
}

void ferryi_fifo_meet_forget(struct ferryi_fifo *f)
{
	remove_names(f);
	if (f->knock >= 0)
		ferryi_close(f->knock);
	f->knock = -1;
	f->announced = false;
}

/* The server has gone: begin anew. */
static int start_over(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);

	ferryi_fifo_meet_forget(f);
	ferryi_endpoint_fini(l);
	f->lack = FERRYI_LACKS_READER;
	return -EAGAIN;
}

/* Make one, with the permissions of the well-known FIFO; a descriptor. */
static int make_one(struct ferry_link *l, int which, const struct stat *st)
{
	char name[FERRYI_ANNOUNCED_NAME];

	ferryi_announced_name(name, ferryi_fifo_of(l)->number, which);
	return ferryi_fifo_make_beside(l, name, st->st_mode & 0777, st->st_gid);
}

/* With the lock of the directory. */
static int make_both(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	struct stat st;
	int fd = ferryi_stat(f->knock, &st);

	if (fd < 0)
		return ferryi_fifo_fail(l, fd);
	ferryi_fifo_sweep(f->dir);
	f->number = ferryi_random();
	if (!f->number)
		return ferryi_fail(-ENOMEM,
				   "%s: the kernel has no random "
				   "number yet",
				   l->address);
	fd = make_one(l, FERRYI_TO_SERVER, &st);
	/* X2: names that were not announced yet, one or both */
	if (fd >= 0) {
		ferryi_close(fd);
		fd = make_one(l, FERRYI_TO_CLIENT, &st);
	}
	if (fd < 0) {
		remove_names(f);
		return fd;
	}
	ferryi_fifo_lock_try(fd); /* it is in use */
	ferryi_endpoint_set(l, fd, -1);
	return 0;
}

static int begin_connection(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	int err = ferryi_directory_lock_try(f->dir);

	f->lack = FERRYI_LACKS_LOCK;
	if (err)
		return err == -EAGAIN ? err : ferryi_fifo_fail(l, err);
	err = make_both(l);
	ferryi_directory_unlock(f->dir);
	return err;
}

static int announce(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	unsigned char note[FERRYI_ANNOUNCE_SIZE];
	ssize_t n;

	ferryi_announce_format(note, f->number);
	n = ferryi_fd_write(f->knock, note, sizeof note);
	if (n == -EPIPE)
		return start_over(l);
	f->lack = FERRYI_LACKS_ACCEPT;
	if (n < 0)
		return n == -EAGAIN ? -EAGAIN : ferryi_fifo_fail(l, (int)n);
	f->announced = true;
	f->unread = ferryi_now();
	return 0;
}

/*
 * Not accepted yet.  A server that was killed after it had read the announcement leaves
 * no trace when the next one is there at once: the number is announced again.  Who
 * lives answers what it has read, and passes by a number that it has answered.
 */
static int wait_for_answer(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	ferry_time now = ferryi_now();

	if (ferryi_fifo_queued(f->knock) != 0)
		f->unread = now;
	return now - f->unread > LOST_AFTER ? announce(l) : 0;
}

/* The server has closed the door or died, perhaps with our FIFO open. */
static bool has_gone(const struct ferryi_fifo *f)
{
	return ferryi_fd_events(f->knock, 0) ||
	       ferryi_fd_events(f->end.in, 0) & POLLHUP;
}

/*
 * The byte that says that we are accepted: 1.  A server writes it before it goes: one
 * that has gone, and has left no byte by then, did not accept us.
 */
static ssize_t read_answer(struct ferryi_fifo *f, char *byte, bool *gone)
{
	ssize_t n = ferryi_fd_read(f->end.in, byte, 1);

	*gone = n != 1 && has_gone(f);
	if (*gone)
		n = ferryi_fd_read(f->end.in, byte, 1);
	return n;
}

/* Has it been accepted?  Then the other FIFO has its reader. */
static int finish(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	char name[FERRYI_ANNOUNCED_NAME], byte;
	bool gone;
	ssize_t n = read_answer(f, &byte, &gone);
	int fd, err;

	if (n != 1 && gone)
		return start_over(l);
	if (n == 0 || n == -EAGAIN) {
		err = wait_for_answer(l);
		return err ? err : -EAGAIN;
	}
	if (n != 1)
		return ferryi_fifo_fail(l, (int)n);
	ferryi_announced_name(name, f->number, FERRYI_TO_SERVER);
	fd = ferryi_fifo_open(f->dir, name, true);
	if (fd == -ENXIO || fd == -ENOENT || byte != accepted[0])
		return ferryi_fail(-ECONNRESET,
				   "%s: the server has closed the connection "
				   "at once",
				   l->address);
	if (fd < 0)
		return ferryi_fifo_fail(l, fd);
	f->end.out = fd;
	f->met = true;
	ferryi_fifo_meet_forget(f);
	return 0;
}

int ferryi_fifo_meet_open(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	int err = 0;

	if (f->knock < 0)
		f->knock = ferryi_fifo_reach(l);
	if (f->knock < 0) {
		err = f->knock;
		f->knock = -1;
		return err;
	}
	if (!f->number)
		err = begin_connection(l);
	if (!err && !f->announced)
		err = announce(l);
	return err ? err : finish(l);
}
