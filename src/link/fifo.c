/* SPDX-License-Identifier: MIT */
/*
 * fifo:PATH, a pipe with a name.  One way: FERRY_RECV reads, FERRY_SEND writes.
 *
 * A FIFO that no writer has opened yet reads as if it had ended; the kernel tells
 * the two apart with POLLHUP, which comes with the first writer that leaves.  Once
 * all writers have gone the link is at its end, and lets go of the FIFO, so that a
 * later writer waits for the next receiver and writes to nobody by mistake; with
 * `keep` it holds a writing end itself and has no end.
 *
 * Who opens to send waits for a receiver, which cannot be polled for: it looks
 * again now and then.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/error.h"
#include "link/fifo.h"
#include "link/figures.h"
#include "link/queues.h"
#include "link/traces.h"
#include "sys/clock.h"
#include "sys/fifos.h"
#include "sys/files.h"
#include "wire/address.h"

#define LOOK_AGAIN  FERRY_MS(5)
#define LOOK_BESIDE FERRY_MS(50) /* for an announcement that got lost */

/* --- opening ------------------------------------------------------------------- */

static bool has(const struct ferryi_address *a, const char *key)
{
	return ferryi_address_get(a, key) != NULL;
}

static int check_flag(const struct ferryi_address *a, const char *key)
{
	const char *value = ferryi_address_get(a, key);

	if (value && *value)
		return ferryi_fail(-EINVAL,
				   "fifo: %s has no value (write fifo:PATH?%s)",
				   key, key);
	return 0;
}

/* What goes with which direction. */
static int check_keys(const struct ferryi_address *a, unsigned flags,
		      bool listening)
{
	int err = check_flag(a, "keep");

	if (!err)
		err = check_flag(a, "duplex");
	if (err)
		return err;
	if (has(a, "keep") && (listening || flags != FERRY_RECV))
		return ferryi_fail(-EINVAL, "fifo: keep is for one who only "
					    "receives (leave it out)");
	if (has(a, "mode") && !listening && flags != FERRY_RECV)
		return ferryi_fail(-EINVAL, "fifo: mode= is for the one who "
					    "receives or listens, and makes "
					    "the file (leave it out)");
	if (has(a, "duplex") && flags != FERRY_DUPLEX)
		return ferryi_fail(-EINVAL, "fifo: duplex is for both "
					    "directions (open it with "
					    "FERRY_DUPLEX)");
	return 0;
}

static int begin(struct ferry_link *l, const struct ferryi_address *a)
{
	int err = check_keys(a, l->flags, l->listening);

	return err ? err : ferryi_fifo_begin(l, a);
}

static int open_to_receive(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	int fd = ferryi_fifo_take(l, false);

	if (fd < 0)
		return fd;
	ferryi_endpoint_set(l, fd, -1);
	if (f->keeps)
		f->hold = ferryi_fifo_reach(l);
	return f->keeps && f->hold < 0 ? f->hold : 0;
}

static int open_to_send(struct ferry_link *l)
{
	int fd = ferryi_fifo_reach(l);

	if (fd < 0)
		return fd;
	ferryi_endpoint_set(l, -1, fd);
	return 0;
}

static int fifo_open(struct ferry_link *l, const struct ferryi_address *a)
{
	int err = begin(l, a);

	if (err)
		return err;
	ferryi_fifo_of(l)->keeps = has(a, "keep");
	switch (l->flags) {
	case FERRY_RECV: return open_to_receive(l);
	case FERRY_SEND: return open_to_send(l);
	}
	return has(a, "duplex") ? ferryi_fifo_twin_open(l) :
				  ferryi_fifo_meet_open(l);
}

static int fifo_listen(struct ferry_link *l, const struct ferryi_address *a)
{
	int err = begin(l, a);

	if (err)
		return err;
	return has(a, "duplex") ? ferryi_fifo_twin_listen(l) :
				  ferryi_fifo_meet_listen(l);
}

static int fifo_accept(struct ferry_link *door, struct ferry_link *peer)
{
	return ferryi_fifo_of(door)->twin ?
		       ferryi_fifo_twin_accept(door, peer) :
		       ferryi_fifo_meet_accept(door, peer);
}

/* --- bytes --------------------------------------------------------------------- */

/* No more is read: the next receiver may have the FIFO. */
static void let_go(struct ferryi_fifo *f)
{
	ferryi_fifo_remove(f);
	ferryi_close(f->end.in);
	f->end.in = -1;
}

static void see_writer(struct ferryi_fifo *f)
{
	if (f->met)
		return;
	f->met = true;
	f->left = false;
	if (f->end.out >= 0) /* a client: its name has done its part */
		ferryi_fifo_remove(f);
}

/* Of a duplex link: the other side reads no more, and was not seen to write. */
static bool has_left(const struct ferryi_fifo *f)
{
	return !f->met && f->end.out >= 0 &&
	       ferryi_fd_events(f->end.out, 0) & POLLERR;
}

static int ended(const struct ferryi_fifo *f)
{
	return f->cut ? -ECONNRESET : -ENODATA;
}

/*
 * There is nothing to read and nobody who writes.  0: read again.
 *
 * The other side opens its end to write while it reads, if it ever does.  So what we
 * read after it has stopped reading tells whether it came: bytes, a writer that is
 * still there, or POLLHUP.  What we read before tells nothing.
 */
static int no_writer(struct ferryi_fifo *f)
{
	short events = ferryi_fd_events(f->end.in, POLLIN);

	if (events & POLLIN)
		return 0;
	if (!(events & POLLHUP) && !f->left) {
		f->left = has_left(f);
		return f->left ? 0 : -EAGAIN;
	}
	f->cut = !(events & POLLHUP);
	f->over = true;
	let_go(f);
	return ended(f);
}

static ssize_t fifo_read(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	ssize_t n;

	if (f->over)
		return ended(f);
	do {
		n = ferryi_stream_of_files.read(l, buf, size);
		if (n > 0 || n == -EAGAIN)
			see_writer(f);
		else if (n == -ENODATA && !f->end.ended_in)
			n = no_writer(f);
	} while (n == 0);
	return n;
}

static ssize_t fifo_write(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	ssize_t n;

	if (f->broken)
		return -ECONNRESET;
	n = ferryi_stream_of_files.write(l, data, len);
	f->broken = n == -ECONNRESET;
	return n;
}

static const struct ferryi_stream stream_of_fifo = {
	.write = fifo_write,
	.read = fifo_read,
};

/* --- waits and ends ------------------------------------------------------------ */

static int fifo_interest(struct ferry_link *l, enum ferryi_want want,
			 struct ferryi_wait *w)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);

	if (want == FERRYI_WANT_OPEN && f->announced) {
		ferryi_wait_fd(w, f->end.in, POLLIN);
		ferryi_wait_fd(w, f->knock, 0);
		ferryi_wait_tick(w, ferryi_now() + LOOK_BESIDE);
	} else if (want == FERRYI_WANT_OPEN || (l->listening && f->twin)) {
		ferryi_wait_tick(w, ferryi_now() + LOOK_AGAIN);
	} else {
		ferryi_endpoint_interest(l, want, w);
		if (want == FERRYI_WANT_RECV && !f->met && f->end.out >= 0)
			ferryi_wait_fd(w, f->end.out, 0);
	}
	return 0;
}

/* An open is out of time: what was it waiting for? */
static int fifo_gave_up(struct ferry_link *l, enum ferryi_want want, int err)
{
	if (want != FERRYI_WANT_OPEN || err != -ETIMEDOUT)
		return err;
	switch (ferryi_fifo_of(l)->lack) {
	case FERRYI_LACKS_FILE:
		return ferryi_fail(-ENOENT,
				   "%s does not exist (start the one who "
				   "receives, which makes it, or raise "
				   "timeout=)",
				   l->address);
	case FERRYI_LACKS_READER:
		return ferryi_fail(err,
				   "%s: nobody receives there (start the one "
				   "who does, or raise timeout=)",
				   l->address);
	case FERRYI_LACKS_TURN:
		return ferryi_fail(err,
				   "%s: somebody else is connected (raise "
				   "timeout=)",
				   l->address);
	case FERRYI_LACKS_LOCK:
		return ferryi_fail(err,
				   "%s: another process keeps its directory "
				   "locked (see lslocks, or raise timeout=)",
				   l->address);
	case FERRYI_LACKS_ACCEPT:
		return ferryi_fail(err,
				   "%s: the one who receives there did not "
				   "accept (does it listen? raise timeout=)",
				   l->address);
	}
	return err;
}

static int fifo_shutdown(struct ferry_link *l, unsigned direction)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	int err;

	if (direction & FERRY_RECV && !f->accepted)
		ferryi_fifo_remove(f);
	err = ferryi_endpoint_shutdown_files(l, direction);
	if (direction & FERRY_RECV && f->accepted)
		ferryi_fifo_meet_left(f);
	return err;
}

static void fifo_fini(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);

	if (!f->begun)
		return;
	if (!f->accepted)
		ferryi_fifo_remove(f); /* under the lock of f->end.in */
	ferryi_fifo_meet_forget(f);
	ferryi_endpoint_fini(l);
	if (f->accepted)
		ferryi_fifo_meet_left(f);
	if (f->hold >= 0)
		ferryi_close(f->hold);
	if (f->dir >= 0)
		ferryi_close(f->dir);
}

static int fifo_identify(const char *rest, struct ferryi_traces *out)
{
	struct stat st;
	int err = ferryi_queue_identify("fifo", rest, &st);

	return err ? err : ferryi_traces_of_file(out, &st);
}

struct users {
	int64_t readers, writers;
};

static int count(pid_t pid, unsigned holding, void *arg)
{
	struct users *u = arg;

	(void)pid;
	u->readers += (holding & FERRYI_READS) != 0;
	u->writers += (holding & FERRYI_WRITES) != 0;
	return 0;
}

/* To open it would let somebody go on who waits for a reader or a writer. */
static int fifo_figures(const char *rest, struct ferryi_figures *out)
{
	struct ferryi_traces t = { 0 };
	struct users u = { 0 };
	int r = fifo_identify(rest, &t);

	if (r == 0) {
		r = ferryi_holders_of(t.device, &t.inodes, count, &u);
		if (r < 0)
			r = ferryi_fail_sys(-r,
					    "who has fifo:%s open cannot be "
					    "told without /proc",
					    rest);
	}
	ferryi_inodes_fini(&t.inodes);
	if (r < 0)
		return r;
	ferryi_figure(out, "readers", FERRY_COUNT, u.readers);
	ferryi_figure(out, "writers", FERRY_COUNT, u.writers);
	return r > 0;
}

const struct ferryi_transport ferryi_transport_fifo = {
	.info = {
		.scheme = "fifo",
		.summary = "a pipe with a name, for any program",
		.naming = "path",
		.framing = "stream",
		.direction = "one way; duplex by accept, or ?duplex",
		.buffering = "kernel, 64 KiB",
		.persistence = "process (the name: file)",
		.promises = FERRY_CAN_STREAM | FERRY_CAN_DUPLEX |
			    FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			    FERRY_CAN_MANY_SEND | FERRY_CAN_CONNECT |
			    FERRY_CAN_NAME | FERRY_CAN_SHUTDOWN |
			    FERRY_CAN_PEER_DEATH | FERRY_CAN_TICK,
	},
	.keys = "mode keep duplex",
	.state_size = sizeof(struct ferryi_fifo),
	.open = fifo_open,
	.listen = fifo_listen,
	.accept = fifo_accept,
	.destroy = ferryi_fifo_destroy,
	.identify = fifo_identify,
	.figures = fifo_figures,
	.shutdown = fifo_shutdown,
	.fini = fifo_fini,
	.spins = true,
	.interest = fifo_interest,
	.gave_up = fifo_gave_up,
	.explain = ferryi_endpoint_explain,
	.stream = &stream_of_fifo,
};
