/* SPDX-License-Identifier: MIT */
/* What only tcp: has: hosts and ports, callers, and programs without Ferry. */
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "net.h"

static char address[200];
static struct ferry_link *door;

void net_refused(int err, const struct net_refusal *r)
{
	char why[400];

	ferry_explain(NULL, err, why, sizeof why);
	ck_assert_msg(err == r->err, "'%s': %s: %s", r->address,
		      ferry_error_name(err), why);
	ck_assert_msg(strstr(why, r->word), "'%s': %s", r->address, why);
}

int net_port(const char *text)
{
	return atoi(strrchr(text, ':') + 1);
}

const char *net_local(struct ferry_link *l)
{
	static char text[200];

	ok(l, ferry_local_address(l, text, sizeof text));
	return text;
}

struct sockaddr_in net_v4(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

int net_bound(int type, int *port)
{
	struct sockaddr_in a = net_v4(0);
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static int raw_client_of(int port)
{
	struct sockaddr_in a = net_v4(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void listen_at(const char *text)
{
	ok(NULL, ferry_listen(&door, text));
}

/* A connection to the door, both ends of it. */
static void meet_at(const char *text)
{
	ok(NULL, ferry_open(&sender, text, FERRY_DUPLEX));
	ok(door, ferry_accept(door, &receiver, SOON));
}

/* --- addresses ----------------------------------------------------------- */

START_TEST(what_cannot_be_opened_is_refused_by_name)
{
	static const struct net_refusal all[] = {
		{ "tcp:", -EINVAL, "port is missing" },
		{ "tcp:localhost", -EINVAL, "HOST:PORT" },
		{ "tcp:localhost:", -EINVAL, "65535" },
		{ "tcp:localhost:http", -EINVAL, "65535" },
		{ "tcp:localhost:65536", -EINVAL, "65535" },
		{ "tcp:localhost:4294967297", -EINVAL, "65535" },
		{ "tcp:localhost:+7", -EINVAL, "65535" },
		{ "tcp:localhost:0", -EINVAL, "port 0" },
		{ "tcp:::1:7000", -EINVAL, "brackets" },
		{ "tcp:[::1:7000", -EINVAL, "brackets" },
		{ "tcp:[127.0.0.1]:7000", -EINVAL, "brackets" },
		{ "tcp:[]:7000", -EINVAL, "brackets" },
		{ "tcp:[localhost]:7000", -EINVAL, "no IPv6 address" },
		{ "tcp:[*]:7000", -EINVAL, "no IPv6 address" },
		{ "tcp:[fe80::1%25nowhere]:7000", -EINVAL,
		  "no interface nowhere" },
		{ "tcp:[fe80::1]:7000", -EINVAL, "[fe80::1%25eth0]:7000" },
		{ "tcp:[::1]:7000?bind=[fe80::1]:0", -EINVAL, "%25eth0" },
		{ "tcp:*:7000", -EINVAL, "who listens" },
		{ "tcp::7000?tls", -EOPNOTSUPP, "TLS" },
		{ "tcp::7000?backlog=3", -EINVAL, "listens" },
		{ "tcp::7000?delay=1", -EINVAL, "no value" },
		{ "tcp::7000?keepalive=off", -EINVAL, "30s" },
		{ "tcp::7000?keepalive=10h", -EINVAL, "9h" },
		{ "tcp::7000?bind=x", -EINVAL, "HOST:PORT" },
		{ "tcp::7000?bind=[::1]:0", -EINVAL, "both IPv4" },
		{ "tcp::7000?bind=203.0.113.7:0", -ENOENT, "no address" },
		{ "tcp::7000?mode=0600", -EINVAL, "'mode'" },
		{ "tcp:a..b:7000", -ENOENT, "name" },
	};

	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		net_refused(ferry_open(&sender, all[i].address, FERRY_DUPLEX),
			    &all[i]);
	memset(address, 'x', sizeof address - 1);
	memcpy(address, "tcp:", 4);
	fails(NULL, ferry_open(&sender, address, FERRY_DUPLEX), -EINVAL);
}
END_TEST

START_TEST(what_cannot_be_listened_at_is_refused_by_name)
{
	static const struct net_refusal all[] = {
		{ "tcp:7000", -EINVAL, "HOST:PORT" },
		{ "tcp:203.0.113.7:0", -ENOENT, "no address of this machine" },
		{ "tcp:[localhost]:0", -EINVAL, "no IPv6 address" },
		{ "tcp:[*]:0", -EINVAL, "no IPv6 address" },
		{ "tcp:[fe80::1]:0", -EINVAL, "[fe80::1%25eth0]" },
		{ "tcp::0?bind=:0", -EINVAL, "connects" },
		{ "tcp::0?backlog=0", -EINVAL, "backlog" },
		{ "tcp::0?backlog=many", -EINVAL, "backlog" },
		{ "tcp::0?tls", -EOPNOTSUPP, "TLS" },
		{ "tcp::0?keepalive=0", -EINVAL, "keepalive" },
	};
	struct ferry_link *ends[2];

	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		net_refused(ferry_listen(&door, all[i].address), &all[i]);
	fails(NULL, ferry_pair(ends, "tcp:"), -EOPNOTSUPP);
}
END_TEST

START_TEST(nobody_listens_is_told_at_once)
{
	int port, fd = net_bound(SOCK_STREAM, &port);

	snprintf(address, sizeof address, "tcp::%d", port);
	fails(NULL, ferry_open(&sender, address, FERRY_DUPLEX), -ECONNREFUSED);
	/* The same port at both ends: the kernel lets a socket meet itself. */
	close(fd);
	snprintf(address, sizeof address, "tcp::%d?bind=:%d", port, port);
	fails(NULL, ferry_open(&sender, address, FERRY_DUPLEX), -ECONNREFUSED);
}
END_TEST

START_TEST(a_port_in_use_is_refused)
{
	struct ferry_link *second = NULL;

	listen_at("tcp::0");
	fails(NULL, ferry_listen(&second, ferry_address(door)), -EBUSY);
	snprintf(address, sizeof address, "%s?bind=:%d", ferry_address(door),
		 net_port(ferry_address(door)));
	fails(NULL, ferry_open(&second, address, FERRY_SEND), -EBUSY);
	ferry_close(door);
}
END_TEST

START_TEST(a_door_that_does_not_accept_is_waited_for_until_the_timeout)
{
	struct ferry_link *l;
	int err = 0, n = 0;

	listen_at("tcp::0?backlog=1");
	snprintf(address, sizeof address, "%s?timeout=60ms",
		 ferry_address(door));
	for (; n < 5 && !err; n++) {
		err = ferry_open(&l, address, FERRY_DUPLEX);
		if (!err)
			ferry_close(l);
	}
	fails(NULL, err, -ETIMEDOUT);
	ck_assert_int_ge(n, 2);
	ferry_close(door);
}
END_TEST

/* --- who is where -------------------------------------------------------- */

START_TEST(both_ends_know_both_addresses)
{
	struct ferry_process p;
	char text[4];

	listen_at("tcp::0");
	ck_assert_int_eq(strncmp(ferry_address(door), "tcp:127.0.0.1:", 14), 0);
	ck_assert_int_gt(net_port(ferry_address(door)), 0);
	meet_at(ferry_address(door));
	ck_assert_str_eq(ferry_address(sender), ferry_address(door));
	ck_assert_str_eq(ferry_address(receiver), net_local(sender));
	ck_assert_str_eq(net_local(receiver), ferry_address(door));
	ck_assert_str_eq(net_local(door), ferry_address(door));
	ck_assert_int_gt(ferry_local_address(sender, text, 4), 4);
	ck_assert_str_eq(text, "tcp");
	fails(receiver, ferry_peer(receiver, &p), -EOPNOTSUPP);
	ferry_close(door);
}
END_TEST

START_TEST(the_active_side_can_be_bound)
{
	listen_at("tcp::0");
	snprintf(address, sizeof address, "%s?bind=127.0.0.5:0",
		 ferry_address(door));
	meet_at(address);
	ck_assert_int_eq(strncmp(ferry_address(receiver), "tcp:127.0.0.5:", 14),
			 0);
	ck_assert_str_eq(net_local(sender), ferry_address(receiver));
	close_ends();
	snprintf(address, sizeof address, "%s?bind=*:0", ferry_address(door));
	meet_at(address);
	ferry_close(door);
}
END_TEST

START_TEST(the_addresses_of_a_name_are_tried_in_turn)
{
	listen_at("tcp:[::1]:0");
	snprintf(address, sizeof address, "tcp:localhost:%d",
		 net_port(ferry_address(door)));
	meet_at(address);
	ck_assert_str_eq(ferry_address(sender), ferry_address(door));
	ck_assert_int_eq(strncmp(ferry_address(door), "tcp:[::1]:", 10), 0);
	close_ends();
	/* Of those, one of the kind of bind=. */
	strcat(address, "?bind=[::1]:0");
	meet_at(address);
	ferry_close(door);
}
END_TEST

START_TEST(a_star_is_every_address_of_both_kinds)
{
	int port;

	listen_at("tcp:*:0");
	port = net_port(ferry_address(door));
	snprintf(address, sizeof address, "tcp:*:%d", port);
	ck_assert_str_eq(ferry_address(door), address);
	snprintf(address, sizeof address, "tcp:[::1]:%d", port);
	meet_at(address);
	ck_assert_str_eq(ferry_address(receiver), net_local(sender));
	close_ends();
	snprintf(address, sizeof address, "tcp:127.0.0.1:%d", port);
	meet_at(address);
	ck_assert_str_eq(ferry_address(receiver), net_local(sender));
	ck_assert_str_eq(net_local(receiver), address);
	ferry_close(door);
}
END_TEST

/* --- settings ------------------------------------------------------------ */

/* An option of the socket of a link, which is found by its ports. */
static int option(struct ferry_link *l, int level, int name)
{
	int value = -1, port = net_port(net_local(l));
	struct sockaddr_in a, b;

	for (int fd = 3; fd < 100; fd++) {
		socklen_t n = sizeof a, m = sizeof b, size = sizeof value;

		if (getsockname(fd, (struct sockaddr *)&a, &n) == 0 &&
		    ntohs(a.sin_port) == port &&
		    getpeername(fd, (struct sockaddr *)&b, &m) == 0 &&
		    ntohs(b.sin_port) == net_port(ferry_address(l)))
			getsockopt(fd, level, name, &value, &size);
	}
	return value;
}

START_TEST(small_writes_go_at_once_unless_delay_is_asked_for)
{
	listen_at("tcp::0");
	meet_at(ferry_address(door));
	ck_assert_int_gt(option(sender, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_gt(option(receiver, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_eq(option(sender, SOL_SOCKET, SO_KEEPALIVE), 0);
	close_ends();
	snprintf(address, sizeof address, "%s?delay", ferry_address(door));
	meet_at(address);
	ck_assert_int_eq(option(sender, IPPROTO_TCP, TCP_NODELAY), 0);
	ferry_close(door);
}
END_TEST

START_TEST(keepalive_is_set_at_both_sides)
{
	listen_at("tcp::0?keepalive=8s");
	snprintf(address, sizeof address, "%s?keepalive", ferry_address(door));
	meet_at(address);
	ck_assert_int_gt(option(sender, SOL_SOCKET, SO_KEEPALIVE), 0);
	ck_assert_int_eq(option(receiver, IPPROTO_TCP, TCP_KEEPIDLE), 8);
	ck_assert_int_eq(option(receiver, IPPROTO_TCP, TCP_KEEPINTVL), 2);
	ck_assert_int_eq(option(receiver, IPPROTO_TCP, TCP_USER_TIMEOUT),
			 16000);
	ferry_close(door);
}
END_TEST

/* --- ends ---------------------------------------------------------------- */

START_TEST(a_reset_is_told_for_ever)
{
	struct linger now = { 1, 0 };
	char buf[10];
	int fd;

	listen_at("tcp::0");
	fd = raw_client_of(net_port(ferry_address(door)));
	ok(door, ferry_accept(door, &receiver, SOON));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
	for (int i = 0; i < 3; i++)
		fails(receiver, ferry_read(receiver, buf, sizeof buf, SOON),
		      -ECONNRESET);
	fails(receiver, ferry_write(receiver, "x", 1, SOON), -ECONNRESET);
	ferry_close(door);
}
END_TEST

START_TEST(a_door_opens_again_at_once_where_it_was)
{
	char buf[4];

	listen_at("tcp::0");
	strcpy(address, ferry_address(door));
	meet_at(address);
	close_end(&receiver); /* this side's port waits for stragglers */
	ferry_close(door);
	fails(sender, ferry_read(sender, buf, sizeof buf, SOON), -ENODATA);
	close_end(&sender);
	listen_at(address);
	meet_at(address);
	ferry_close(door);
}
END_TEST

START_TEST(a_connection_waits_while_there_is_no_descriptor_for_it)
{
	struct rlimit old, few;
	int fd;

	listen_at("tcp::0");
	fd = raw_client_of(net_port(ferry_address(door)));
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = (rlim_t)fd + 2; /* for what cancels its waits only */
	setrlimit(RLIMIT_NOFILE, &few);
	fails(door, ferry_accept(door, &receiver, SOON), -EMFILE);
	setrlimit(RLIMIT_NOFILE, &old);
	ok(door, ferry_accept(door, &receiver, SOON));
	close(fd);
	ferry_close(door);
}
END_TEST

/* --- programs without Ferry ---------------------------------------------- */

START_TEST(a_plain_client_talks_to_a_door)
{
	char buf[20];
	int fd;

	listen_at("tcp::0?framing=line");
	fd = raw_client_of(net_port(ferry_address(door)));
	ok(door, ferry_accept(door, &receiver, SOON));
	ck_assert_int_eq(write(fd, "ping\npi", 7), 7);
	expect_text(receiver, "ping");
	send_text(receiver, "pong");
	ck_assert_int_eq(read(fd, buf, sizeof buf), 5);
	ck_assert_mem_eq(buf, "pong\n", 5);
	close(fd);
	ferry_close(door);
}
END_TEST

START_TEST(a_plain_server_is_talked_to)
{
	int port, fd, listener = net_bound(SOCK_STREAM, &port);
	char buf[20];

	listen(listener, 5);
	snprintf(address, sizeof address, "tcp:localhost:%d", port);
	ok(NULL, ferry_open(&sender, address, FERRY_DUPLEX));
	fd = accept(listener, NULL, NULL);
	ck_assert_int_eq(ferry_write(sender, "ping", 4, SOON), 4);
	ok(sender, ferry_shutdown(sender, FERRY_SEND));
	ck_assert_int_eq(recv(fd, buf, 4, MSG_WAITALL), 4);
	ck_assert_int_eq(read(fd, buf, sizeof buf), 0);
	ck_assert_int_eq(write(fd, "pong", 4), 4);
	ck_assert_int_eq(ferry_read(sender, buf, sizeof buf, SOON), 4);
	close(fd);
	fails(sender, ferry_read(sender, buf, sizeof buf, SOON), -ENODATA);
	close(listener);
}
END_TEST

void add_tcp_tests(TCase *tc)
{
	tcase_add_test(tc, what_cannot_be_opened_is_refused_by_name);
	tcase_add_test(tc, what_cannot_be_listened_at_is_refused_by_name);
	tcase_add_test(tc, nobody_listens_is_told_at_once);
	tcase_add_test(tc, a_port_in_use_is_refused);
	tcase_add_test(
		tc,
		a_door_that_does_not_accept_is_waited_for_until_the_timeout);
	tcase_add_test(tc, both_ends_know_both_addresses);
	tcase_add_test(tc, the_active_side_can_be_bound);
	tcase_add_test(tc, the_addresses_of_a_name_are_tried_in_turn);
	tcase_add_test(tc, a_star_is_every_address_of_both_kinds);
	tcase_add_test(tc, small_writes_go_at_once_unless_delay_is_asked_for);
	tcase_add_test(tc, keepalive_is_set_at_both_sides);
	tcase_add_test(tc, a_reset_is_told_for_ever);
	tcase_add_test(tc, a_door_opens_again_at_once_where_it_was);
	tcase_add_test(tc,
		       a_connection_waits_while_there_is_no_descriptor_for_it);
	tcase_add_test(tc, a_plain_client_talks_to_a_door);
	tcase_add_test(tc, a_plain_server_is_talked_to);
}
