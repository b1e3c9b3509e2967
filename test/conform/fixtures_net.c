/* SPDX-License-Identifier: MIT */
/* Two ends of sockets between machines, and of datagrams. */
#include "conform.h"

/* A door whose port the system chooses, and a connection to it. */
static void connect_at(struct ferry_link *ends[2], const char *host,
		       const char *keys)
{
	struct ferry_link *door;
	char address[200];

	snprintf(address, sizeof address, "tcp:%s:0%s", host, keys);
	ok(NULL, ferry_listen(&door, address));
	snprintf(address, sizeof address, "%s%s", ferry_address(door), keys);
	ok(NULL, ferry_open(&ends[1], address, FERRY_DUPLEX));
	ok(door, ferry_accept(door, &ends[0], SOON));
	ferry_close(door);
}

static void make_tcp(struct ferry_link *ends[2])
{
	connect_at(ends, "", "");
}

static void make_tcp_v6(struct ferry_link *ends[2])
{
	connect_at(ends, "[::1]", "");
}

static void make_tcp_line(struct ferry_link *ends[2])
{
	connect_at(ends, "localhost", "?framing=line");
}

static void make_tcp_len32(struct ferry_link *ends[2])
{
	connect_at(ends, "", "?framing=len32&max=3M");
}

static void send_to_it(struct ferry_link *ends[2], const char *address)
{
	ok(NULL, ferry_open(&ends[0], address, FERRY_RECV));
	ok(NULL, ferry_open(&ends[1], ferry_address(ends[0]), FERRY_SEND));
}

static void make_udp(struct ferry_link *ends[2])
{
	send_to_it(ends, "udp::0");
}

static void make_udp_v6(struct ferry_link *ends[2])
{
	send_to_it(ends, "udp:[::1]:0");
}

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
	char one[80], other[80];
	int a, b, err;

	do {
		a = free_port();
		b = free_port();
		snprintf(one, sizeof one, "udp::%d?bind=:%d", b, a);
		snprintf(other, sizeof other, "udp::%d?bind=:%d", a, b);
		ends[0] = NULL;
		err = a == b ? -EBUSY : ferry_open(&ends[0], one, FERRY_DUPLEX);
		if (err == 0)
			err = ferry_open(&ends[1], other, FERRY_DUPLEX);
		if (err)
			ferry_close(ends[0]);
	} while (err == -EBUSY);
	ok(NULL, err);
}

static void datagrams_at(struct ferry_link *ends[2], const char *name)
{
	char address[200];

	snprintf(address, sizeof address, "unix:%s?type=dgram", name);
	ok(NULL, ferry_open(&ends[0], address, FERRY_RECV));
	ok(NULL, ferry_open(&ends[1], address, FERRY_SEND));
}

static void make_dgram(struct ferry_link *ends[2])
{
	char name[100];

	snprintf(name, sizeof name, "%s/d", place);
	datagrams_at(ends, name);
}

static void make_dgram_abstract(struct ferry_link *ends[2])
{
	char name[100];

	snprintf(name, sizeof name, "@ferry-conform-%d", getpid());
	datagrams_at(ends, name);
}

static void make_dgram_pair(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "unix:?type=dgram"));
}

/* Nobody hears of an end, and what follows is nothing. */
#define DATAGRAMS .closed = -ETIMEDOUT, .killed = -ETIMEDOUT, .lends = true

const struct fixture fixtures_of_net[] = {
	{ .name = "tcp",
	  .scheme = "tcp",
	  .make = make_tcp,
	  CONNECTED,
	  .gone_late = true,
	  .duplex = true,
	  .stream = true },
	{ .name = "tcp-v6",
	  .scheme = "tcp",
	  .make = make_tcp_v6,
	  CONNECTED,
	  .gone_late = true,
	  .duplex = true,
	  .stream = true },
	{ .name = "tcp-line",
	  .scheme = "tcp",
	  .make = make_tcp_line,
	  CONNECTED,
	  .gone_late = true,
	  .duplex = true,
	  .framed = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ .name = "tcp-len32",
	  .scheme = "tcp",
	  .make = make_tcp_len32,
	  CONNECTED,
	  .gone_late = true,
	  .duplex = true,
	  .framed = true,
	  .largest = 3u << 20,
	  .too_large = (3u << 20) + 1 },
	{ .name = "udp",
	  .scheme = "udp",
	  .make = make_udp,
	  DATAGRAMS,
	  .gone = -ECONNREFUSED,
	  .gone_late = true,
	  .drops = true,
	  .largest = 65507,
	  .too_large = 65508 },
	{ .name = "udp-v6",
	  .scheme = "udp",
	  .make = make_udp_v6,
	  DATAGRAMS,
	  .gone = -ECONNREFUSED,
	  .gone_late = true,
	  .drops = true,
	  .largest = 65527,
	  .too_large = 65528 },
	{ .name = "udp-duplex",
	  .scheme = "udp",
	  .make = make_udp_duplex,
	  DATAGRAMS,
	  .gone = -ECONNREFUSED,
	  .gone_late = true,
	  .drops = true,
	  .duplex = true,
	  .largest = 65507,
	  .too_large = 65508 },
	{ .name = "unix-dgram",
	  .scheme = "unix",
	  .make = make_dgram,
	  DATAGRAMS,
	  .gone = -ECONNRESET,
	  .room = 10, /* net.unix.max_dgram_qlen */
	  .fds = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "unix-dgram-abstract",
	  .scheme = "unix",
	  .make = make_dgram_abstract,
	  DATAGRAMS,
	  .gone = -ECONNRESET,
	  .room = 10, /* net.unix.max_dgram_qlen */
	  .fds = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "unix-dgram-pair",
	  .scheme = "unix",
	  .make = make_dgram_pair,
	  DATAGRAMS,
	  .gone = -ECONNRESET,
	  .fds = true,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ 0 },
};
