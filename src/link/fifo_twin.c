/* SPDX-License-Identifier: MIT */
/*
 * Two FIFOs, one each way, that any program can open: PATH to the one who listens,
 * PATH.back from it.
 *
 * They are good for one connection.  Who accepts it removes both names, and makes
 * new ones for the next; so what one client sent is never read as another's.  A
 * client locks PATH, and does not enter one that another has written to.
 */
#include <errno.h>
#include <poll.h>

#include "base/error.h"
#include "link/fifo.h"
#include "sys/fifos.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/process.h"

int ferryi_fifo_twin_listen(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	char back[NAME_MAX + 1];
	int fd = ferryi_fifo_take(l, true), other;

	if (fd < 0)
		return fd;
	f->twin = true;
	ferryi_endpoint_set(l, fd, -1);
	ferryi_fifo_back(f->file, back);
	/* X8: one of the two, the other missing or of a killed one */
	ferryi_unlink(f->dir, back);
	other = ferryi_fifo_make_beside(l, back, f->mode, -1);
	if (other >= 0) {
		ferryi_close(other);
		return 0;
	}
	ferryi_fifo_remove(f);
	ferryi_endpoint_fini(l);
	return other;
}

/* One that came, wrote and left before it was accepted. */
static bool has_left_bytes(const struct ferryi_fifo *f)
{
	return ferryi_fifo_queued(f->end.in) > 0 &&
	       ferryi_fd_events(f->end.in, 0) & POLLHUP;
}

int ferryi_fifo_twin_accept(struct ferry_link *door, struct ferry_link *peer)
{
	struct ferryi_fifo *f = ferryi_fifo_of(door), *p = ferryi_fifo_of(peer);
	char back[NAME_MAX + 1];
	bool left;
	int out, err = 0;

	if (!f->end.opened)
		err = ferryi_fifo_twin_listen(door);
	if (err)
		return err;
	ferryi_fifo_back(f->file, back);
	out = ferryi_fifo_open(f->dir, back, true);
	left = out == -ENXIO && has_left_bytes(f);
	if (left) /* or it came since we looked, and reads */
		out = ferryi_fifo_open(f->dir, back, true);
	if (out ==
	    -ENOENT) { /* accepted by another process that has the door */
		ferryi_endpoint_fini(door);
		return -EAGAIN;
	}
	if (out == -ENXIO && !left)
		return -EAGAIN;
	if (out < 0 && out != -ENXIO)
		return ferryi_fifo_fail(door, out);
	f->generation = ferryi_generation(); /* whoever has made them */
	ferryi_fifo_remove(f);
	p->hold = p->knock = p->dir = -1;
	p->begun = true;
	p->broken = out < 0;
	ferryi_endpoint_set(peer, f->end.in, out < 0 ? -1 : out);
	f->end.opened = false;
	return 0;
}

/* The FIFO that `fd` writes to is nobody else's, and nobody has used it. */
static bool is_ours(const struct ferryi_fifo *f, int fd)
{
	return ferryi_lock_try(fd, 0, 1) == 0 &&
	       ferryi_fifo_is(f->dir, f->file, fd) &&
	       ferryi_fifo_queued(fd) == 0;
}

int ferryi_fifo_twin_open(struct ferry_link *l)
{
	struct ferryi_fifo *f = ferryi_fifo_of(l);
	int out = ferryi_fifo_reach(l), in;
	char back[NAME_MAX + 1];

	if (out < 0)
		return out;
	ferryi_fifo_back(f->file, back);
	f->lack = FERRYI_LACKS_TURN;
	in = is_ours(f, out) ? ferryi_fifo_open(f->dir, back, false) : -ENOENT;
	if (in < 0) {
		ferryi_close(out);
		return in == -ENOENT ? -EAGAIN : ferryi_fifo_fail(l, in);
	}
	ferryi_endpoint_set(l, in, out);
	return 0;
}
