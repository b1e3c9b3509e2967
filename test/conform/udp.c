/* SPDX-License-Identifier: MIT */
/* What only udp: has: destinations, answers, and what the network tells. */
#include <sys/socket.h>

#include "net.h"

static char address[200];

static void receive_at(const char *text)
{
	ok(NULL, ferry_open(&receiver, text, FERRY_RECV));
}

/* The receiver, and a link that sends to it. */
static void both_at(const char *text)
{
	receive_at(text);
	ok(NULL, ferry_open(&sender, ferry_address(receiver), FERRY_SEND));
}

static void take(struct ferry_link *l, struct ferry_message *m,
		 const char *text)
{
	ok(l, ferry_take(l, m, SOON));
	ck_assert_uint_eq(m->len, strlen(text));
	ck_assert_mem_eq(m->data, text, m->len);
}

START_TEST(what_cannot_be_opened_is_refused_by_name)
{
	static const struct net_refusal sends[] = {
		{ "udp:localhost", -EINVAL, "HOST:PORT" },
		{ "udp::0", -EINVAL, "port 0" },
		{ "udp:*:7000", -EINVAL, "receives" },
		{ "udp::7000?broadcast=1", -EINVAL, "no value" },
		{ "udp::7000?bind=[::1]:0", -EINVAL, "both IPv4" },
		{ "udp:[fe80::1]:7000", -EINVAL, "[fe80::1%25eth0]:7000" },
		{ "udp:127.255.255.255:7000", -EACCES, "?broadcast" },
		{ "udp::7000?framing=line", -EOPNOTSUPP, "framing" },
		{ "udp::7000?keepalive", -EINVAL, "broadcast" },
	};
	static const struct net_refusal receives[] = {
		{ "udp:", -EINVAL, "udp::7000" },
		{ "udp::7000?bind=:7001", -EINVAL, "leave bind=" },
		{ "udp:203.0.113.7:0", -ENOENT, "no address" },
		{ "udp:[fe80::1]:0", -EINVAL, "[fe80::1%25eth0]" },
	};

	for (unsigned i = 0; i < sizeof sends / sizeof sends[0]; i++)
		net_refused(ferry_open(&sender, sends[i].address, FERRY_SEND),
			    &sends[i]);
	for (unsigned i = 0; i < sizeof receives / sizeof receives[0]; i++)
		net_refused(ferry_open(&receiver, receives[i].address,
				       FERRY_RECV),
			    &receives[i]);
	fails(NULL, ferry_listen(&receiver, "udp::0"), -EOPNOTSUPP);
}
END_TEST

START_TEST(a_port_in_use_is_refused)
{
	struct ferry_link *second = NULL;

	receive_at("udp::0");
	fails(NULL, ferry_open(&second, ferry_address(receiver), FERRY_RECV),
	      -EBUSY);
}
END_TEST

START_TEST(who_sent_it_can_be_answered)
{
	struct ferry_message m;

	receive_at("udp::0");
	ok(NULL, ferry_open(&sender, ferry_address(receiver), FERRY_DUPLEX));
	send_text(sender, "question");
	take(receiver, &m, "question");
	ck_assert_str_eq(m.from, net_local(sender));
	ck_assert_int_eq(m.sender.pid, 0);
	ok(receiver, ferry_reply(&m, "answer", 6, SOON));
	fails(receiver, ferry_send_to(receiver, m.from, "x", 1, SOON), -EINVAL);
	ok(receiver, ferry_release(&m));
	take(sender, &m, "answer");
	ck_assert_str_eq(m.from, ferry_address(receiver));
	ok(sender, ferry_release(&m));
}
END_TEST

START_TEST(without_a_destination_each_message_has_one)
{
	struct ferry_message m;

	receive_at("udp::0");
	ok(NULL, ferry_open(&sender, "udp:", FERRY_DUPLEX));
	fails(sender, ferry_send(sender, "x", 1, SOON), -EINVAL);
	ok(sender,
	   ferry_send_to(sender, ferry_address(receiver), "hi", 2, SOON));
	take(receiver, &m, "hi");
	ck_assert_int_eq(net_port(m.from), net_port(net_local(sender)));
	ok(receiver, ferry_reply(&m, "ho", 2, SOON));
	ok(receiver, ferry_release(&m));
	expect_text(sender, "ho");
	close_end(&sender);
	ok(NULL, ferry_open(&sender, "udp:?bind=:0", FERRY_DUPLEX));
	ok(sender, ferry_send_to(sender, ferry_address(receiver), "", 0, SOON));
	take(receiver, &m, "");
	ck_assert_str_eq(m.from, net_local(sender));
	ok(receiver, ferry_release(&m));
}
END_TEST

START_TEST(what_is_no_destination_is_refused_by_name)
{
	static const struct net_refusal all[] = {
		{ "tcp:127.0.0.1:7000", -EINVAL, "udp:HOST:PORT" },
		{ "udp:127.0.0.1:7000?max=3", -EINVAL, "udp:HOST:PORT" },
		{ "udp:somebody:7000", -EINVAL, "in numbers" },
		{ "udp:127.0.0.1:0", -EINVAL, "port 0" },
		{ "udp:[::1]:7000", -EINVAL, "another kind" },
		{ "udp:%zz", -EINVAL, "udp:HOST:PORT" },
	};

	ok(NULL, ferry_open(&sender, "udp:?bind=127.0.0.1:0", FERRY_SEND));
	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		net_refused(ferry_send_to(sender, all[i].address, "x", 1, SOON),
			    &all[i]);
	fails(sender, ferry_send_to(sender, NULL, "x", 1, SOON), -EINVAL);
	fails(sender, ferry_send_to(sender, "udp::9", NULL, 65508, SOON),
	      -EMSGSIZE);
}
END_TEST

START_TEST(a_star_receives_from_both_kinds_and_answers_them)
{
	static const char *const hosts[] = { "127.0.0.1", "[::1]" };
	struct ferry_message m;

	receive_at("udp:*:0");
	for (int i = 0; i < 2; i++) {
		snprintf(address, sizeof address, "udp:%s:%d", hosts[i],
			 net_port(ferry_address(receiver)));
		ok(NULL, ferry_open(&sender, address, FERRY_DUPLEX));
		send_text(sender, "hi");
		take(receiver, &m, "hi");
		ck_assert_str_eq(m.from, net_local(sender));
		ok(receiver, ferry_reply(&m, "ho", 2, SOON));
		ok(receiver, ferry_release(&m));
		expect_text(sender, "ho");
		close_end(&sender);
	}
}
END_TEST

START_TEST(a_duplex_link_hears_its_destination_only)
{
	int port, fd = net_bound(SOCK_DGRAM, &port);
	struct sockaddr_in to;
	char buf[10];

	snprintf(address, sizeof address, "udp::%d", port);
	ok(NULL, ferry_open(&sender, address, FERRY_DUPLEX));
	ok(NULL, ferry_open(&receiver, "udp:", FERRY_DUPLEX));
	ok(receiver,
	   ferry_send_to(receiver, net_local(sender), "other", 5, SOON));
	fails(sender, ferry_recv(sender, buf, sizeof buf, FERRY_NOWAIT),
	      -EAGAIN);
	to = net_v4(net_port(net_local(sender)));
	ck_assert_int_eq(
		sendto(fd, "mine", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
	expect_text(sender, "mine");
	close(fd);
}
END_TEST

static int right, wrong, own_port;

static void send_from(int fd, const char *text)
{
	struct sockaddr_in to = net_v4(own_port);
	ssize_t len = (ssize_t)strlen(text);

	ck_assert_int_eq(sendto(fd, text, (size_t)len, 0,
				(struct sockaddr *)&to, sizeof to),
			 len);
}

/* The link is bound, and takes datagrams of anybody. */
static void send_early(void)
{
	send_from(wrong, "stranger");
	send_from(wrong, "");
	send_from(right, "first");
	send_from(wrong, "stranger again");
	send_from(right, "second");
	send_from(wrong, "stranger at last");
}

START_TEST(what_others_sent_before_it_was_connected_is_not_received)
{
	int port, other;
	struct ferry_message m;
	char buf[20];

	close(net_bound(SOCK_DGRAM, &own_port));
	right = net_bound(SOCK_DGRAM, &port);
	wrong = net_bound(SOCK_DGRAM, &other);
	snprintf(address, sizeof address, "udp::%d?bind=:%d", port, own_port);
	before_connect = send_early;
	ok(NULL, ferry_open(&sender, address, FERRY_DUPLEX));
	ck_assert_int_eq(ferry_next_len(sender), 5);
	expect_text(sender, "first");
	take(sender, &m, "second");
	ok(sender, ferry_release(&m));
	fails(sender, ferry_recv(sender, buf, sizeof buf, FERRY_NOWAIT),
	      -EAGAIN);
	send_from(right, "third");
	expect_text(sender, "third");
	close(right);
	close(wrong);
}
END_TEST

START_TEST(nobody_there_is_told_once_and_the_link_goes_on)
{
	int port, fd = net_bound(SOCK_DGRAM, &port);
	struct sockaddr_in a = net_v4(port);
	char buf[10];

	snprintf(address, sizeof address, "udp::%d", port);
	ok(NULL, ferry_open(&sender, address, FERRY_DUPLEX));
	close(fd);
	send_text(sender, "lost");
	fails(sender, ferry_recv(sender, buf, sizeof buf, SOON), -ECONNREFUSED);
	fails(sender, ferry_recv(sender, buf, sizeof buf, FERRY_NOWAIT),
	      -EAGAIN);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	send_text(sender, "found");
	ck_assert_int_eq(recv(fd, buf, sizeof buf, 0), 5);
	close(fd);
}
END_TEST

START_TEST(broadcasts_are_sent_when_asked_for)
{
	receive_at("udp:*:0");
	snprintf(address, sizeof address, "udp:127.255.255.255:%d?broadcast",
		 net_port(ferry_address(receiver)));
	ok(NULL, ferry_open(&sender, address, FERRY_SEND));
	send_text(sender, "to all");
	expect_text(receiver, "to all");
}
END_TEST

START_TEST(several_are_taken_and_ended_in_any_order)
{
	struct ferry_message m[3], again;

	both_at("udp::0");
	send_text(sender, "one");
	send_text(sender, "two");
	send_text(sender, "three");
	take(receiver, &m[0], "one");
	take(receiver, &m[1], "two");
	take(receiver, &m[2], "three");
	again = m[1];
	ok(receiver, ferry_release(&m[1]));
	ck_assert_mem_eq(m[0].data, "one", 3);
	fails(receiver, ferry_release(&again), -ESTALE);
	ok(receiver, ferry_release(&m[2]));
	/* The one that is left goes with the link. */
}
END_TEST

START_TEST(a_loan_may_become_smaller_and_not_larger)
{
	struct ferry_message m;

	both_at("udp::0");
	ok(sender, ferry_loan(sender, 10, &m, SOON));
	memcpy(m.data, "hello", 5);
	m.len = 11;
	fails(sender, ferry_commit(&m, SOON), -EMSGSIZE);
	m.len = 5;
	ok(sender, ferry_commit(&m, SOON));
	expect_text(receiver, "hello");
	ok(sender, ferry_loan(sender, 70000, &m, SOON));
	fails(sender, ferry_commit(&m, SOON), -EMSGSIZE);
	ok(sender, ferry_abandon(&m));
}
END_TEST

START_TEST(a_plain_socket_is_a_peer)
{
	int port, fd = net_bound(SOCK_DGRAM, &port);
	struct ferry_message m;
	struct sockaddr_in to;
	char buf[10];

	receive_at("udp::0");
	to = net_v4(net_port(ferry_address(receiver)));
	ck_assert_int_eq(
		sendto(fd, "ping", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
	take(receiver, &m, "ping");
	ok(receiver, ferry_reply(&m, "pong", 4, SOON));
	ok(receiver, ferry_release(&m));
	ck_assert_int_eq(recv(fd, buf, sizeof buf, 0), 4);
	close(fd);
}
END_TEST

void add_udp_tests(TCase *tc)
{
	tcase_add_test(tc, what_cannot_be_opened_is_refused_by_name);
	tcase_add_test(tc, a_port_in_use_is_refused);
	tcase_add_test(tc, who_sent_it_can_be_answered);
	tcase_add_test(tc, without_a_destination_each_message_has_one);
	tcase_add_test(tc, what_is_no_destination_is_refused_by_name);
	tcase_add_test(tc, a_star_receives_from_both_kinds_and_answers_them);
	tcase_add_test(tc, a_duplex_link_hears_its_destination_only);
	tcase_add_test(
		tc, what_others_sent_before_it_was_connected_is_not_received);
	tcase_add_test(tc, nobody_there_is_told_once_and_the_link_goes_on);
	tcase_add_test(tc, broadcasts_are_sent_when_asked_for);
	tcase_add_test(tc, several_are_taken_and_ended_in_any_order);
	tcase_add_test(tc, a_loan_may_become_smaller_and_not_larger);
	tcase_add_test(tc, a_plain_socket_is_a_peer);
}
