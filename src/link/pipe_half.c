/* SPDX-License-Identifier: MIT */
/*
 * pipe:?direction=half: a pair of pipes with a turn.
 *
 * The pipes carry plain bytes, and so the turn goes beside them, as a token that lies
 * in one of three eventfds.  To take it is one read, which one process only succeeds
 * with; the kernel keeps it, so that a child of a fork or what runs after an exec
 * goes on where the end was.  A holder that dies closes its pipes, and who waits for
 * the turn waits for that, too: behind a side that can no longer send it is not asked
 * for.  While a process moves the token it lies nowhere; when it is killed there, and
 * others have that end, too, neither side sends any more until they have closed it.
 */
#include "link/pipe.h"

#include <errno.h>
#include <poll.h>

#include "base/error.h"
#include "link/turns.h"
#include "sys/files.h"
#include "sys/ready.h"
#include "sys/stream.h"

static bool take_from(struct ferryi_pipe *p, int place)
{
	return ferryi_eventfd_take(p->turn[place]);
}

static void put_to(struct ferryi_pipe *p, int place)
{
	ferryi_eventfd_set(p->turn[place]);
}

static bool has_turn(struct ferryi_pipe *p)
{
	return ferryi_fd_ready(p->turn[FERRYI_PIPE_OURS], POLLIN);
}

/* Have it, or take it where it is nobody's. */
static bool get_turn(struct ferryi_pipe *p)
{
	if (has_turn(p))
		return true;
	if (!take_from(p, FERRYI_PIPE_NOBODYS))
		return false;
	put_to(p, FERRYI_PIPE_OURS);
	return true;
}

/* Nobody sends to us any more, or receives what we send: a write tells which. */
static bool is_alone(struct ferryi_pipe *p)
{
	return (p->end.in >= 0 && ferryi_fd_ready(p->end.in, POLLHUP)) ||
	       (p->end.out >= 0 && ferryi_fd_ready(p->end.out, POLLERR));
}

/* --- bytes ------------------------------------------------------------------- */

static ssize_t half_write(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_pipe *p = ferryi_pipe_of(l);

	p->out_of_turn = !p->end.ended_out && !get_turn(p) && !is_alone(p);
	return p->out_of_turn ? -EAGAIN :
				ferryi_stream_of_files.write(l, data, len);
}

/*
 * Who waits for bytes lets others send.  While we have the turn nothing comes that
 * was not there when we got it; so one more look tells.
 */
static ssize_t half_read(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_pipe *p = ferryi_pipe_of(l);
	ssize_t n = ferryi_stream_of_files.read(l, buf, size);

	if (n != -EAGAIN || !has_turn(p))
		return n;
	n = ferryi_stream_of_files.read(l, buf, size);
	if (n == -EAGAIN && take_from(p, FERRYI_PIPE_OURS))
		put_to(p, FERRYI_PIPE_NOBODYS);
	return n;
}

static const struct ferryi_stream half_stream = {
	.write = half_write,
	.read = half_read,
};

/* --- for the table ------------------------------------------------------------- */

int ferryi_pipe_turn(struct ferry_link *l)
{
	struct ferryi_pipe *p = ferryi_pipe_of(l);

	if (!p->half)
		return ferryi_turns_none(l);
	if (!get_turn(p) || !take_from(p, FERRYI_PIPE_OURS))
		return ferryi_turns_not_ours(l);
	put_to(p, FERRYI_PIPE_THEIRS);
	return 0;
}

/* poll() tells of POLLHUP and POLLERR unasked. */
int ferryi_pipe_interest(struct ferry_link *l, enum ferryi_want want,
			 struct ferryi_wait *w)
{
	struct ferryi_pipe *p = ferryi_pipe_of(l);

	if (want == FERRYI_WANT_RECV || !p->out_of_turn)
		return ferryi_endpoint_interest(l, want, w);
	ferryi_wait_fd(w, p->turn[FERRYI_PIPE_OURS], POLLIN);
	ferryi_wait_fd(w, p->turn[FERRYI_PIPE_NOBODYS], POLLIN);
	ferryi_wait_fd(w, p->end.out, 0);
	if (p->end.in >= 0)
		ferryi_wait_fd(w, p->end.in, 0);
	return 0;
}

int ferryi_pipe_gave_up(struct ferry_link *l, enum ferryi_want want, int err)
{
	bool sends = want == FERRYI_WANT_SEND;

	return sends && ferryi_pipe_of(l)->out_of_turn ?
		       ferryi_turns_gave_up(l, err) :
		       err;
}

/* --- life --------------------------------------------------------------------- */

void ferryi_pipe_use_turns(struct ferry_link *l, const int *fds)
{
	struct ferryi_pipe *p = ferryi_pipe_of(l);

	for (int i = 0; i < FERRYI_PIPE_PLACES; i++)
		p->turn[i] = fds[i];
	p->half = true;
	l->stream = &half_stream;
}

static void close_all(const int *fds, int n)
{
	while (n > 0)
		ferryi_close(fds[--n]);
}

void ferryi_pipe_forget_turns(struct ferryi_pipe *p)
{
	if (p->half)
		close_all(p->turn, FERRYI_PIPE_PLACES);
	p->half = false;
}

/* What is ours on this side is theirs on that one. */
static int copy(const int *from, int *to)
{
	static const int other[FERRYI_PIPE_PLACES] = {
		[FERRYI_PIPE_OURS] = FERRYI_PIPE_THEIRS,
		[FERRYI_PIPE_THEIRS] = FERRYI_PIPE_OURS,
		[FERRYI_PIPE_NOBODYS] = FERRYI_PIPE_NOBODYS,
	};

	for (int i = 0; i < FERRYI_PIPE_PLACES; i++) {
		to[i] = ferryi_fd_dup(from[other[i]]);
		if (to[i] < 0) {
			close_all(to, i);
			return to[i];
		}
	}
	return 0;
}

int ferryi_pipe_take_turns(struct ferry_link *ends[2])
{
	int one[FERRYI_PIPE_PLACES], two[FERRYI_PIPE_PLACES], r;

	for (int i = 0; i < FERRYI_PIPE_PLACES; i++) {
		one[i] = ferryi_eventfd();
		if (one[i] < 0) {
			close_all(one, i);
			return one[i];
		}
	}
	r = copy(one, two);
	if (r < 0) {
		close_all(one, FERRYI_PIPE_PLACES);
		return r;
	}
	ferryi_pipe_use_turns(ends[1], one);
	ferryi_pipe_use_turns(ends[0], two);
	put_to(ferryi_pipe_of(ends[1]), FERRYI_PIPE_OURS);
	return 0;
}
