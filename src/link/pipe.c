/* SPDX-License-Identifier: MIT */
/*
 * pipe: two ends without a name, for parent and child or for threads.
 * "pipe:?duplex" is two pipes, one each way.
 *
 * After a fork both processes hold both ends: each closes the one it does not
 * use, or the end of the stream never comes.  A reader that has gone is
 * -ECONNRESET to the writer; a writer that has gone, killed or not, is the end
 * of the stream, since the kernel says no more about it.
 *
 * An end that goes one way can be handed to a program as a plain descriptor
 * (ferry_export()); a program that uses Ferry opens that as fd:N.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/endpoint.h"
#include "sys/files.h"
#include "sys/stream.h"
#include "wire/address.h"

static int check_address(const struct ferryi_address *a)
{
	const char *duplex = ferryi_address_get(a, "duplex");

	if (*a->rest)
		return ferryi_fail(-EINVAL,
				   "pipe: has no name ('%.100s'; "
				   "write just pipe:)",
				   a->rest);
	if (duplex && *duplex)
		return ferryi_fail(-EINVAL, "pipe: duplex has no value (write "
					    "pipe:?duplex)");
	return 0;
}

static int no_pipe(int err)
{
	return ferryi_fail_sys(-err, "pipe: no descriptor is left (raise "
				     "ulimit -n)");
}

static int pipe_pair(struct ferry_link *ends[2], const struct ferryi_address *a)
{
	int err = check_address(a), one[2], two[2];

	if (err)
		return err;
	err = ferryi_pipe(one);
	if (err)
		return no_pipe(err);
	if (!ferryi_address_get(a, "duplex")) {
		ferryi_endpoint_set(ends[0], one[0], -1);
		ferryi_endpoint_set(ends[1], -1, one[1]);
		ends[0]->flags = FERRY_RECV;
		ends[1]->flags = FERRY_SEND;
		return 0;
	}
	err = ferryi_pipe(two);
	if (err) {
		ferryi_close(one[0]);
		ferryi_close(one[1]);
		return no_pipe(err);
	}
	ferryi_endpoint_set(ends[0], one[0], two[1]);
	ferryi_endpoint_set(ends[1], two[0], one[1]);
	return 0;
}

/*
 * Programs do not expect a descriptor that does not block, and the parent may go on
 * with the same end: so it is of a description of its own.
 */
static int pipe_bare(struct ferry_link *l)
{
	struct ferryi_endpoint *e = l->state;
	int fd = e->in >= 0 ? e->in : e->out;

	if (fd < 0 || (e->in >= 0 && e->out >= 0))
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: only an end that goes one way is one "
				   "descriptor (use pipe: or unix:)",
				   l->address);
	fd = ferryi_pipe_reopen(fd, true);
	return fd >= 0 ? fd :
			 ferryi_fail_sys(-fd,
					 "%s: it cannot be opened once more "
					 "through /proc: %s",
					 l->address, strerror(-fd));
}

const struct ferryi_transport ferryi_transport_pipe = {
	.info = {
		.scheme = "pipe",
		.summary = "two ends for parent and child",
		.naming = "inherited",
		.framing = "stream",
		.direction = "one way; two pipes with ?duplex",
		.buffering = "kernel, 64 KiB",
		.persistence = "process",
		.promises = FERRY_CAN_STREAM | FERRY_CAN_DUPLEX |
			    FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			    FERRY_CAN_PAIR | FERRY_CAN_SHUTDOWN |
			    FERRY_CAN_PEER_DEATH,
	},
	.keys = "duplex",
	.state_size = sizeof(struct ferryi_endpoint),
	.pair = pipe_pair,
	.bare = pipe_bare,
	.shutdown = ferryi_endpoint_shutdown_files,
	.fini = ferryi_endpoint_fini,
	.interest = ferryi_endpoint_interest,
	.explain = ferryi_endpoint_explain,
	.stream = &ferryi_stream_of_files,
};
