/* SPDX-License-Identifier: MIT */
/* Datagrams with faults: a destination a message, answers. */
#include "fault.h"

static void receive_at(struct ferry_link **out, const char *name,
		       char to[ADDRESS_ROOM])
{
	char address[ADDRESS_ROOM];

	snprintf(to, ADDRESS_ROOM, "unix:@ferry-conform-%d-%s", (int)getpid(),
		 name);
	snprintf(address, sizeof address, "%s?type=dgram", to);
	ok(NULL, ferry_open(out, address, FERRY_RECV));
}

static void send_to(const char *to, const char *text)
{
	ok(sender, ferry_send_to(sender, to, text, strlen(text), SOON));
}

static void nothing_more(struct ferry_link *l)
{
	char buf[8];

	fails(l, ferry_recv(l, buf, sizeof buf, FERRY_NOWAIT), -EAGAIN);
}

/* --- a destination that has gone ----------------------------------------------- */

START_TEST(what_is_held_for_one_who_has_gone_stops_nobody_else)
{
	struct ferry_link *gone;
	struct ferry_fault_stat st;
	char there[ADDRESS_ROOM], here[ADDRESS_ROOM];

	receive_at(&gone, "gone", there);
	receive_at(&receiver, "here", here);
	ok(NULL,
	   ferry_open(&sender, "fault+unix:?type=dgram&reorder=1", FERRY_SEND));
	send_to(there, "1");
	ferry_close(gone);
	send_to(here, "2");
	send_to(here, "3");
	send_to(here, "4");
	expect_text(receiver, "2");
	expect_text(receiver, "4");
	expect_text(receiver, "3");
	nothing_more(receiver);
	read_faults(sender, &st);
	ck_assert_uint_eq(st.passed, 3);
	ck_assert_uint_eq(st.dropped, 1);
}
END_TEST

/* How many are accepted until there is no room for one, or for the twin of one. */
static unsigned fill_up(const char *to)
{
	unsigned n = 0;
	int r;

	while ((r = ferry_send_to(sender, to, "x", 1, FERRY_NOWAIT)) == 0)
		n++;
	fails(sender, r, -EAGAIN);
	return n;
}

START_TEST(a_twin_of_one_who_has_gone_stops_nobody_else)
{
	struct ferry_link *gone;
	struct ferry_fault_stat st;
	char there[ADDRESS_ROOM], here[ADDRESS_ROOM];
	unsigned n;

	receive_at(&gone, "gone", there);
	receive_at(&receiver, "here", here);
	ok(NULL,
	   ferry_open(&sender, "fault+unix:?type=dgram&dup=1", FERRY_SEND));
	n = fill_up(there);
	ferry_close(gone);
	send_to(here, "a");
	expect_text(receiver, "a");
	expect_text(receiver, "a");
	nothing_more(receiver);
	read_faults(sender, &st);
	ck_assert_uint_eq(st.passed, n + 1);
	ck_assert_uint_eq(st.dropped, 0);
}
END_TEST

START_TEST(what_may_not_be_sent_there_stops_nobody_else)
{
	struct ferry_fault_stat st;

	ok(NULL, ferry_open(&sender, "fault+udp:?reorder=1", FERRY_SEND));
	send_to("udp:255.255.255.255:9", "1");
	ok(NULL, ferry_open(&receiver, "udp:127.0.0.1:0", FERRY_RECV));
	send_to(ferry_address(receiver), "2");
	expect_text(receiver, "2");
	send_to("udp:255.255.255.255:9", "3");
	send_to(ferry_address(receiver), "4");
	expect_text(receiver, "4");
	read_faults(sender, &st);
	ck_assert_uint_eq(st.passed, 2);
	ck_assert_uint_eq(st.dropped, 2);
}
END_TEST

/* --- answers ---------------------------------------------------------------------- */

/* Two answers to one question; the faults are those of who answers. */
static void answers_go_once(const char *with_faults, const char *keys)
{
	struct ferry_fault_stat st;
	char address[ADDRESS_ROOM];
	struct ferry_message m;

	ok(NULL, ferry_open(&receiver, with_faults, FERRY_DUPLEX));
	ok(receiver, ferry_local_address(receiver, address, sizeof address));
	strcat(address, keys);
	ok(NULL, ferry_open(&sender, address, FERRY_DUPLEX));
	send_text(sender, "question");
	ok(receiver, ferry_take(receiver, &m, SOON));
	ok(receiver, ferry_reply(&m, "one", 3, SOON));
	expect_text(sender, "one");
	ok(receiver, ferry_reply(&m, "two", 3, SOON));
	expect_text(sender, "two");
	ok(receiver, ferry_release(&m));
	nothing_more(sender);
	read_faults(receiver, &st);
	ck_assert_uint_eq(st.passed, 2);
	ck_assert_uint_eq(st.doubled + st.reordered, 0);
	close_ends();
}

START_TEST(an_answer_is_neither_doubled_nor_held_back)
{
	answers_go_once("fault+udp:?bind=127.0.0.1:0&dup=1", "");
	answers_go_once("fault+udp:?bind=127.0.0.1:0&reorder=1", "");
	answers_go_once("fault+unix:?type=dgram&dup=1", "?type=dgram");
	answers_go_once("fault+unix:?type=dgram&reorder=1", "?type=dgram");
}
END_TEST

START_TEST(an_answer_is_damaged)
{
	struct ferry_fault_stat st;
	char address[ADDRESS_ROOM], buf[8];
	struct ferry_message m;

	ok(NULL, ferry_open(&receiver, "fault+unix:?type=dgram&damage=1",
			    FERRY_DUPLEX));
	ok(receiver, ferry_local_address(receiver, address, sizeof address));
	strcat(address, "?type=dgram");
	ok(NULL, ferry_open(&sender, address, FERRY_DUPLEX));
	send_text(sender, "question");
	ok(receiver, ferry_take(receiver, &m, SOON));
	ok(receiver, ferry_reply(&m, "answer", 6, SOON));
	ck_assert_int_eq(ferry_recv(sender, buf, sizeof buf, SOON), 6);
	ck_assert_mem_ne(buf, "answer", 6);
	m.from = NULL;
	fails(receiver, ferry_reply(&m, "answer", 6, SOON), -EOPNOTSUPP);
	says(receiver, -EOPNOTSUPP, "no way leads back");
	ok(receiver, ferry_release(&m));
	read_faults(receiver, &st);
	ck_assert_uint_eq(st.damaged, 1);
}
END_TEST

/* --- descriptors -------------------------------------------------------------------- */

START_TEST(descriptors_are_not_received_with_faults)
{
	char address[ADDRESS_ROOM], buf[8];
	unsigned n = 1;
	int fd = 0;

	snprintf(address, sizeof address,
		 "fault+unix:%s/d?type=dgram&delay=1us", place);
	ok(NULL, ferry_open(&receiver, address, FERRY_RECV));
	snprintf(address, sizeof address, "unix:%s/d?type=dgram", place);
	ok(NULL, ferry_open(&sender, address, FERRY_SEND));
	ok(sender, ferry_send_fds(sender, "x", 1, &fd, 1, SOON));
	fails(receiver, ferry_recv_fds(receiver, buf, 8, &fd, &n, SOON),
	      -EOPNOTSUPP);
	says(receiver, -EOPNOTSUPP, "received with faults");
	expect_text(receiver, "x");
}
END_TEST

void add_fault_datagram_tests(TCase *tc)
{
	tcase_add_test(tc, what_is_held_for_one_who_has_gone_stops_nobody_else);
	tcase_add_test(tc, a_twin_of_one_who_has_gone_stops_nobody_else);
	tcase_add_test(tc, what_may_not_be_sent_there_stops_nobody_else);
	tcase_add_test(tc, an_answer_is_neither_doubled_nor_held_back);
	tcase_add_test(tc, an_answer_is_damaged);
	tcase_add_test(tc, descriptors_are_not_received_with_faults);
}
