/* SPDX-License-Identifier: MIT */
/*
 * Eclipse iceoryx: a publisher and a subscriber a way, a chunk of its shared
 * memory a message, and its daemon (roudi.c).  It only knows loans: the rows that
 * copy do so into one and out of one.  The receiver takes, and sleeps in a wait
 * set when there is nothing; the sender of a full queue yields until there is
 * room, inside the library.
 *
 * Depth: bench_depth() messages, or what a subscriber's queue may have at most:
 * 256 where nobody has built it otherwise.
 */
#include <iceoryx_binding_c/config.h>
#include <iceoryx_binding_c/log.h>
#include <iceoryx_binding_c/publisher.h>
#include <iceoryx_binding_c/runtime.h>
#include <iceoryx_binding_c/subscriber.h>
#include <iceoryx_binding_c/wait_set.h>
#include <stdlib.h>
#include <string.h>
#include "peer.h"
#include "roudi.h"

#define PATIENCE_NS 10000000000 /* for the other side */

static int n_ways;

static iox_pub_t out;
static iox_sub_t in;
static iox_ws_t asleep;
static void *loaned;
static const void *taken;

static unsigned depth(const struct bench *b)
{
	unsigned most = iox_cfg_max_subscriber_queue_capacity();

	return bench_depth(b) < most ? bench_depth(b) : most;
}

static void setup(struct bench *b, int n)
{
	unsigned in_hands = 8; /* a way: chunks that are not in the queue */
	const char *why =
		roudi_start(b->o.size, (unsigned)n * (depth(b) + in_hands));

	if (why)
		bench_skip("iox-roudi does not start: %s", why);
	n_ways = n;
}

static void teardown(struct bench *b)
{
	(void)b;
	roudi_end();
}

static void open_out(struct bench *b, const char *way)
{
	static iox_pub_storage_t storage;
	iox_pub_options_t o;

	iox_pub_options_init(&o);
	o.subscriberTooSlowPolicy = ConsumerTooSlowPolicy_WAIT_FOR_CONSUMER;
	out = iox_pub_init(&storage, "ferry", "bench", way, &o);
	if (!out)
		bench_fail(b, "iox_pub_init");
}

static void open_in(struct bench *b, const char *way)
{
	static iox_sub_storage_t storage;
	static iox_ws_storage_t ws_storage;
	iox_sub_options_t o;

	iox_sub_options_init(&o);
	o.queueCapacity = depth(b);
	o.queueFullPolicy = QueueFullPolicy_BLOCK_PRODUCER;
	in = iox_sub_init(&storage, "ferry", "bench", way, &o);
	asleep = iox_ws_init(&ws_storage);
	if (!in || !asleep)
		bench_fail(b, "iox_sub_init");
	if (iox_ws_attach_subscriber_event(asleep, in,
					   SubscriberEvent_DATA_RECEIVED, 0,
					   NULL) != WaitSetResult_SUCCESS)
		bench_fail(b, "iox_ws_attach_subscriber_event");
}

static bool is_joined(void)
{
	return (!out || iox_pub_has_subscribers(out)) &&
	       (!in || iox_sub_get_subscription_state(in) ==
			       SubscribeState_SUBSCRIBED);
}

static void attach(struct bench *b)
{
	int64_t deadline = bench_now() + PATIENCE_NS;
	char name[40];

	roudi_client(name, sizeof name, b->side);
	iox_set_loglevel(Iceoryx_LogLevel_Error);
	iox_runtime_init(name);
	for (int i = 0; i < n_ways; i++) {
		if (i == b->side)
			open_out(b, i ? "back" : "there");
		else
			open_in(b, i ? "back" : "there");
	}
	while (!is_joined()) {
		if (bench_now() > deadline)
			bench_fail(b, "nobody at the other end");
		bench_nap(100000);
	}
}

/* The library takes leave of its daemon where a process exits, not before. */
static void detach(struct bench *b)
{
	(void)b;
	exit(0);
}

static void *loan(struct bench *b, int way)
{
	enum iox_AllocationResult r =
		iox_pub_loan_chunk(out, &loaned, (uint32_t)b->o.size);

	(void)way;
	if (r != AllocationResult_SUCCESS)
		bench_fail(b, "iox_pub_loan_chunk: %d", r);
	return loaned;
}

static void commit(struct bench *b, int way)
{
	(void)b;
	(void)way;
	iox_pub_publish_chunk(out, loaned);
}

/*
 * The wait set forgets an event with a relaxed store.  Without the fence that
 * could still be on its way when we look into the queue, find it empty, and
 * then wipe out the event of what has arrived meanwhile.  (A wait set for the
 * state looks into the queue itself, without one.)
 */
static void sleep_once(void)
{
	iox_notification_info_t why;
	uint64_t missed;

	iox_ws_wait(asleep, &why, 1, &missed);
	atomic_thread_fence(memory_order_seq_cst);
}

static const void *take(struct bench *b, int way)
{
	enum iox_ChunkReceiveResult r;

	(void)way;
	while ((r = iox_sub_take_chunk(in, &taken)) ==
	       ChunkReceiveResult_NO_CHUNK_AVAILABLE)
		sleep_once();
	if (r != ChunkReceiveResult_SUCCESS)
		bench_fail(b, "iox_sub_take_chunk: %d", r);
	return taken;
}

static void release(struct bench *b, int way)
{
	(void)b;
	(void)way;
	iox_sub_release_chunk(in, taken);
}

static void send_copy(struct bench *b, int way, const void *data)
{
	memcpy(loan(b, way), data, b->o.size);
	commit(b, way);
}

static void recv_copy(struct bench *b, int way, void *data)
{
	memcpy(data, take(b, way), b->o.size);
	release(b, way);
}

const struct bench_peer bench_peer_iceoryx = {
	.name = "iceoryx",
	.setup = setup,
	.teardown = teardown,
	.attach = attach,
	.detach = detach,
	.send = send_copy,
	.recv = recv_copy,
	.loan = loan,
	.commit = commit,
	.take = take,
	.release = release,
};
