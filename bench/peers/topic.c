/* SPDX-License-Identifier: MIT */
/*
 * Ferry's topic, through the public calls: with subscribers that block the publisher,
 * and with such that rather lose the oldest.
 */
#include <stdio.h>
#include <unistd.h>
#include <ferry.h>
#include "peer.h"

static char name[32];
static struct ferry_link *topic;

static void need(struct bench *b, int err, const char *what)
{
	char why[160];

	if (err >= 0)
		return;
	ferry_explain(topic, err, why, sizeof why);
	bench_fail(b, "%s: %s: %s", what, ferry_error_name(err), why);
}

static void setup(struct bench *b, int n_ways)
{
	(void)b;
	(void)n_ways;
	snprintf(name, sizeof name, "bench-%d", (int)getpid());
}

static void open_as(struct bench *b, const char *policy)
{
	char address[100];

	snprintf(address, sizeof address, "topic:%s?capacity=%u&max=%zu%s",
		 name, bench_depth(b), b->o.size, b->side ? policy : "");
	need(b, ferry_open(&topic, address, b->side ? FERRY_RECV : FERRY_SEND),
	     "open");
}

static void attach(struct bench *b)
{
	open_as(b, "&policy=block");
}

static void attach_lossy(struct bench *b)
{
	open_as(b, "&policy=drop-old");
}

static void send_copy(struct bench *b, int way, const void *data)
{
	(void)way;
	need(b, ferry_send(topic, data, b->o.size, FERRY_FOREVER), "send");
}

static void recv_copy(struct bench *b, int way, void *data)
{
	ssize_t n = ferry_recv(topic, data, b->o.size, FERRY_FOREVER);

	(void)way;
	need(b, (int)n, "recv");
	if ((size_t)n != b->o.size)
		bench_fail(b, "a message of %zd bytes", n);
}

const struct bench_peer bench_peer_topic = {
	.name = "topic",
	.broadcast = true,
	.setup = setup,
	.attach = attach,
	.send = send_copy,
	.recv = recv_copy,
};

const struct bench_peer bench_peer_topic_lossy = {
	.name = "topic_lossy",
	.broadcast = true,
	.lossy = true,
	.setup = setup,
	.attach = attach_lossy,
	.send = send_copy,
	.recv = recv_copy,
};
