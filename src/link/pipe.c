/* SPDX-License-Identifier: MIT */
/*
 * pipe: two ends without a name, for parent and child or for threads.
 * "pipe:?duplex" is two pipes, one each way; with "direction=half" instead only one
 * side sends at a time.
 *
 * After a fork both processes hold both ends: each closes the one it does not
 * use, or the end of the stream never comes.  A reader that has gone is
 * -ECONNRESET to the writer; a writer that has gone, killed or not, is the end
 * of the stream, since the kernel says no more about it.
 *
 * An end that goes one way can be handed to a program as a plain descriptor
 * (ferry_export()); a program that uses Ferry opens that as fd:N.  One that goes both
 * ways becomes a parcel, which ferry_adopt() unpacks.
 */
#include "link/pipe.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/parcel.h"
#include "link/turns.h"
#include "sys/files.h"
#include "sys/stream.h"
#include "wire/address.h"

static int check_address(const struct ferryi_address *a, bool *half)
{
	const char *duplex = ferryi_address_get(a, "duplex");
	int err = ferryi_turns_asked(a, half);

	if (err)
		return err;
	if (*a->rest)
		return ferryi_fail(-EINVAL,
				   "pipe: has no name ('%.100s'; "
				   "write just pipe:)",
				   a->rest);
	if (duplex && *duplex)
		return ferryi_fail(-EINVAL, "pipe: duplex has no value (write "
					    "pipe:?duplex)");
	if (duplex && *half)
		return ferryi_fail(-EINVAL,
				   "pipe: duplex is both at a time, and "
				   "direction=half is not (leave one out)");
	return 0;
}

static int no_pipe(int err)
{
	return ferryi_fail_sys(-err, "pipe: it cannot be made");
}

static int one_way(struct ferry_link *ends[2])
{
	int fds[2], err = ferryi_pipe(fds);

	if (err)
		return err;
	ferryi_endpoint_set(ends[0], fds[0], -1);
	ferryi_endpoint_set(ends[1], -1, fds[1]);
	ends[0]->flags = FERRY_RECV;
	ends[1]->flags = FERRY_SEND;
	return 0;
}

static int both_ways(struct ferry_link *ends[2])
{
	int there[2], back[2], err = ferryi_pipe(there);

	if (err)
		return err;
	err = ferryi_pipe(back);
	if (err) {
		ferryi_close(there[0]);
		ferryi_close(there[1]);
		return err;
	}
	ferryi_endpoint_set(ends[0], there[0], back[1]);
	ferryi_endpoint_set(ends[1], back[0], there[1]);
	return 0;
}

static int pipe_pair(struct ferry_link *ends[2], const struct ferryi_address *a)
{
	bool half;
	int err = check_address(a, &half);

	if (err)
		return err;
	err = half || ferryi_address_get(a, "duplex") ? both_ways(ends) :
							one_way(ends);
	if (!err && half)
		err = ferryi_pipe_take_turns(ends);
	return err ? no_pipe(err) : 0;
}

static void pipe_fini(struct ferry_link *l)
{
	ferryi_pipe_forget_turns(ferryi_pipe_of(l));
	ferryi_endpoint_fini(l);
}

/* --- to other programs --------------------------------------------------------- */

static bool is_one_way(const struct ferryi_endpoint *e)
{
	return e->in < 0 || e->out < 0;
}

/*
 * Programs do not expect a descriptor that does not block, and the parent may go on
 * with the same end: so it is of a description of its own.
 */
static int pipe_bare(struct ferry_link *l)
{
	struct ferryi_endpoint *e = l->state;
	int fd = e->in >= 0 ? e->in : e->out;

	if (fd < 0)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: both directions were ended, and "
				   "nothing is left to export",
				   l->address);
	fd = ferryi_pipe_reopen(fd, true);
	return fd >= 0 ? fd :
			 ferryi_fail_sys(-fd,
					 "%s: it cannot be opened once more "
					 "through /proc: %s",
					 l->address, strerror(-fd));
}

static bool pipe_has_bare(struct ferry_link *l)
{
	return is_one_way(l->state);
}

#define N_PIPES 2

static int pipe_pack(struct ferry_link *l, struct ferryi_parcel *parcel,
		     int *fds)
{
	struct ferryi_pipe *p = ferryi_pipe_of(l);

	fds[0] = p->end.in;
	fds[1] = p->end.out;
	parcel->n_fds = N_PIPES;
	for (int i = 0; p->half && i < FERRYI_PIPE_PLACES; i++)
		fds[parcel->n_fds++] = p->turn[i];
	return 0;
}

static int pipe_unpack(struct ferry_link *l, const struct ferryi_parcel *parcel,
		       const int *fds)
{
	bool half = parcel->n_fds == N_PIPES + FERRYI_PIPE_PLACES;

	if (!half && parcel->n_fds != N_PIPES)
		return ferryi_fail(-EBADMSG,
				   "%s: an exported end of a pipe has %d "
				   "descriptors, or %d with turns",
				   l->address, N_PIPES,
				   N_PIPES + FERRYI_PIPE_PLACES);
	ferryi_endpoint_set(l, fds[0], fds[1]);
	if (half)
		ferryi_pipe_use_turns(l, fds + N_PIPES);
	return 0;
}

const struct ferryi_transport ferryi_transport_pipe = {
	.info = {
		.scheme = "pipe",
		.summary = "two ends for parent and child",
		.naming = "inherited",
		.framing = "stream",
		.direction = "one way; two pipes with ?duplex, in turns with "
			     "?direction=half",
		.buffering = "kernel, 64 KiB",
		.persistence = "process",
		.promises = FERRY_CAN_STREAM | FERRY_CAN_DUPLEX |
			    FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			    FERRY_CAN_PAIR | FERRY_CAN_SHUTDOWN |
			    FERRY_CAN_PEER_DEATH,
	},
	.keys = "duplex direction",
	.state_size = sizeof(struct ferryi_pipe),
	.pair = pipe_pair,
	.pack = pipe_pack,
	.unpack = pipe_unpack,
	.has_bare = pipe_has_bare,
	.bare = pipe_bare,
	.shutdown = ferryi_endpoint_shutdown_files,
	.turn = ferryi_pipe_turn,
	.fini = pipe_fini,
	.spins = true,
	.interest = ferryi_pipe_interest,
	.gave_up = ferryi_pipe_gave_up,
	.explain = ferryi_endpoint_explain,
	.stream = &ferryi_stream_of_files,
};
