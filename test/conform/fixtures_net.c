/* SPDX-License-Identifier: MIT */
/*
 * Two ends of sockets between machines, and of datagrams.  Those that go across are
 * in two name spaces of the network, of hosts.c.
 */
#include "conform.h"

/* A port that was free a moment ago. */
static int free_port(void)
{
	struct ferry_link *l;
	int port;

	ok(NULL, ferry_open(&l, "udp::0", FERRY_RECV));
	port = atoi(strrchr(ferry_address(l), ':') + 1);
	ferry_close(l);
	return port;
}

/* Each sends to the port of the other one. */
static void make_udp_duplex(struct ferry_link *ends[2])
{
	char one[ADDRESS_ROOM], other[ADDRESS_ROOM], pattern[80];
	int a, b, err;

	do {
		a = free_port();
		b = free_port();
		snprintf(pattern, sizeof pattern, "udp::%d?bind=:%d", b, a);
		address_from(one, pattern);
		snprintf(pattern, sizeof pattern, "udp::%d?bind=:%d", a, b);
		address_from(other, pattern);
		ends[0] = NULL;
		err = a == b ? -EBUSY : ferry_open(&ends[0], one, FERRY_DUPLEX);
		if (err == 0)
			err = ferry_open(&ends[1], other, FERRY_DUPLEX);
		if (err)
			ferry_close(ends[0]);
	} while (err == -EBUSY);
	ok(NULL, err);
}

#define TCP                                                                    \
	.scheme = "tcp", .make = make_met_where_it_listens, CONNECTED,         \
	.gone_late = true, .duplex = true

/* Nobody hears of an end, and what follows is nothing. */
#define DATAGRAMS .closed = -ETIMEDOUT, .killed = -ETIMEDOUT, .lends = true

#define UDP(most)                                                              \
	.scheme = "udp", DATAGRAMS, .gone = -ECONNREFUSED, .gone_late = true,  \
	.drops = true, .largest = (most), .too_large = (most) + 1

#define V4 65507
#define V6 65527

#define UNIX                                                                   \
	.scheme = "unix", DATAGRAMS, .gone = -ECONNRESET, .fds = true,         \
	.largest = 100000, .too_large = 1u << 26

/* net.unix.max_dgram_qlen */
#define QUEUE .room = 10

const struct fixture fixtures_of_net[] = {
	{ .name = "tcp", .address = "tcp::0", TCP, .stream = true },
	{ .name = "tcp-v6", .address = "tcp:[::1]:0", TCP, .stream = true },
	{ .name = "tcp-line",
	  .address = "tcp:localhost:0?framing=line",
	  TCP,
	  FRAMED(1u << 20) },
	{ .name = "tcp-len32",
	  .address = "tcp::0?framing=len32&max=3M",
	  TCP,
	  FRAMED(3u << 20) },
	{ .name = "tcp-across",
	  .address = "tcp:" HOST_V4 ":0",
	  TCP,
	  .stream = true,
	  .across = 4 },
	{ .name = "tcp-v6-across",
	  .address = "tcp:[" HOST_V6 "]:0",
	  TCP,
	  .stream = true,
	  .across = 6 },
	{ .name = "tcp-len32-across",
	  .address = "tcp:" HOST_V4 ":0?framing=len32&max=3M",
	  TCP,
	  FRAMED(3u << 20),
	  .across = 4 },
	{ .name = "tcp-v6-line-across",
	  .address = "tcp:[" HOST_V6 "]:0?framing=line",
	  TCP,
	  FRAMED(1u << 20),
	  .across = 6 },
	{ .name = "udp", .address = "udp::0", UDP(V4), .make = make_sent_there },
	{ .name = "udp-v6",
	  .address = "udp:[::1]:0",
	  UDP(V6),
	  .make = make_sent_there },
	{ .name = "udp-duplex",
	  UDP(V4),
	  .make = make_udp_duplex,
	  .duplex = true },
	{ .name = "udp-across",
	  .address = "udp:" HOST_V4 ":0",
	  UDP(V4),
	  .make = make_sent_there,
	  .across = 4 },
	{ .name = "udp-v6-across",
	  .address = "udp:[" HOST_V6 "]:0",
	  UDP(V6),
	  .make = make_sent_there,
	  .across = 6 },
	{ .name = "unix-dgram",
	  .address = "unix:{place}/d?type=dgram",
	  UNIX,
	  QUEUE,
	  .make = make_one_way },
	{ .name = "unix-dgram-abstract",
	  .address = "unix:@ferry-conform-{pid}?type=dgram",
	  UNIX,
	  QUEUE,
	  .make = make_one_way },
	{ .name = "unix-dgram-pair",
	  .address = "unix:?type=dgram",
	  UNIX,
	  .make = make_pair,
	  .duplex = true },
	{ 0 },
};
