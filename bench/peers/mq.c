/* SPDX-License-Identifier: MIT */
/*
 * A POSIX message queue a way, with the 10 messages that the kernel allows
 * everybody.  Sizes above fs.mqueue.msgsize_max need privilege and memory
 * (RLIMIT_MSGQUEUE); where that is not given the size is skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "peer.h"

static mqd_t ways[2];

/* Ask for the memory of two queues; without privilege this changes nothing. */
static void ask_for_memory(struct bench *b)
{
	struct rlimit l = { .rlim_cur = 64 * (b->o.size + 4096),
			    .rlim_max = 64 * (b->o.size + 4096) },
		      now;

	if (getrlimit(RLIMIT_MSGQUEUE, &now) == 0 && now.rlim_cur < l.rlim_cur)
		(void)setrlimit(RLIMIT_MSGQUEUE, &l);
}

static void setup(struct bench *b, int n_ways)
{
	struct mq_attr a = { .mq_maxmsg = 10, .mq_msgsize = (long)b->o.size };
	char name[40];

	ask_for_memory(b);
	for (int i = 0; i < n_ways; i++) {
		snprintf(name, sizeof name, "/ferry-bench-%d", (int)getpid());
		ways[i] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
		if (ways[i] == (mqd_t)-1)
			bench_skip("mq_open with messages of %zu bytes: %s "
				   "(fs.mqueue.msgsize_max, RLIMIT_MSGQUEUE)",
				   b->o.size, strerror(errno));
		mq_unlink(name);
	}
}

static void send_mq(struct bench *b, int way, const void *data)
{
	if (mq_send(ways[way], data, b->o.size, 0) < 0)
		bench_fail(b, "mq_send: %s", strerror(errno));
}

static void recv_mq(struct bench *b, int way, void *data)
{
	ssize_t n = mq_receive(ways[way], data, b->o.size, NULL);

	if (n != (ssize_t)b->o.size)
		bench_fail(b, "mq_receive: %zd bytes: %s", n, strerror(errno));
}

const struct bench_peer bench_peer_mq = {
	.name = "mq",
	.many_max = SIZE_MAX,
	.setup = setup,
	.send = send_mq,
	.recv = recv_mq,
};
