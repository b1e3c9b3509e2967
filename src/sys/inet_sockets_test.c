/* SPDX-License-Identifier: MIT */
/* Proof of inet_sockets.h. */
#include "sys/inet_sockets.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of memory, as the kernel prints it on this machine. */
static void line_of(char out[200], const char *host, unsigned port,
		    const char *state)
{
	struct ferryi_name n;
	uint32_t word[4];
	char hex[40];
	bool v6;

	ck_assert_int_eq(ferryi_name_of_host(&n, host, port), 0);
	v6 = ferryi_name_is_v6(&n);
	memcpy(word, n.bytes + (v6 ? 8 : 4), v6 ? 16 : 4);
	for (unsigned i = 0; i < (v6 ? 4 : 1); i++)
		sprintf(hex + 8 * (size_t)i, "%08X", word[i]);
	sprintf(out,
		"   7: %s:%04X %.*s:0000 %s 00000003:00000102 00:00000000 "
		"00000000  1000        0 4711 2 0000000000000000 0\n",
		hex, port, v6 ? 32 : 8, "00000000000000000000000000000000",
		state);
}

static struct ferryi_inet_socket socket_of(const char *host, unsigned port)
{
	struct ferryi_inet_socket s;
	char line[200];

	line_of(line, host, port, "0A");
	ck_assert_int_eq(
		ferryi_inet_socket_parse(line, strchr(host, ':') != NULL, &s),
		0);
	return s;
}

static bool takes(struct ferryi_inet_socket s, const char *host, unsigned port)
{
	struct ferryi_name n;

	ck_assert_int_eq(ferryi_name_of_host(&n, host, port), 0);
	return ferryi_inet_socket_is(&s, &n);
}

START_TEST(a_line_has_all_that_is_asked_for)
{
	struct ferryi_inet_socket s;
	char line[200];

	line_of(line, "10.1.2.3", 7000, "0A");
	ck_assert_int_eq(ferryi_inet_socket_parse(line, false, &s), 0);
	ck_assert_uint_eq(s.port, 7000);
	ck_assert(s.listens && !s.every && !s.v6);
	ck_assert_uint_eq(s.sending, 3);
	ck_assert_uint_eq(s.waiting, 0x102);
	ck_assert_uint_eq(s.inode, 4711);
	line_of(line, "::", 1, "07");
	ck_assert_int_eq(ferryi_inet_socket_parse(line, true, &s), 0);
	ck_assert(!s.listens && s.every && s.v6);
}
END_TEST

START_TEST(what_is_no_line_is_refused)
{
	static const char *const wrong[] = {
		"",
		"  sl  local_address rem_address   st tx_queue rx_queue\n",
		"   7: 0100007F:1B58 00000000:0000 0A\n",
		"   7: 0100007:1B58 00000000:0000 0A 0:0 0:0 0 0 0 1\n",
		"   7: 0100007F01:1B58 00000000:0000 0A 0:0 0:0 0 0 0 1\n",
	};
	struct ferryi_inet_socket s;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		for (int v6 = 0; v6 < 2; v6++)
			ck_assert_int_eq(ferryi_inet_socket_parse(wrong[i], v6,
								  &s),
					 -EINVAL);
}
END_TEST

START_TEST(an_address_is_met_whole)
{
	ck_assert(takes(socket_of("127.0.0.1", 7), "127.0.0.1", 7));
	ck_assert(!takes(socket_of("127.0.0.1", 7), "127.0.0.1", 8));
	ck_assert(!takes(socket_of("127.0.0.1", 7), "127.0.0.2", 7));
	ck_assert(takes(socket_of("::1", 7), "::1", 7));
	ck_assert(!takes(socket_of("::1", 7), "127.0.0.1", 7));
	ck_assert(!takes(socket_of("::1", 7), "::2", 7));
}
END_TEST

START_TEST(ipv4_within_ipv6_is_ipv4)
{
	ck_assert(takes(socket_of("::ffff:127.0.0.1", 7), "127.0.0.1", 7));
	ck_assert(takes(socket_of("127.0.0.1", 7), "::ffff:127.0.0.1", 7));
}
END_TEST

START_TEST(who_has_all_addresses_has_each)
{
	ck_assert(takes(socket_of("0.0.0.0", 7), "127.0.0.1", 7));
	ck_assert(!takes(socket_of("0.0.0.0", 7), "127.0.0.1", 8));
	ck_assert(!takes(socket_of("0.0.0.0", 7), "::1", 7));
	ck_assert(takes(socket_of("::", 7), "::1", 7));
	ck_assert(takes(socket_of("::", 7), "127.0.0.1", 7));
	ck_assert(!takes(socket_of("127.0.0.1", 7), "0.0.0.0", 7));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("inet_sockets");
	TCase *tc = tcase_create("inet_sockets");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, a_line_has_all_that_is_asked_for);
	tcase_add_test(tc, what_is_no_line_is_refused);
	tcase_add_test(tc, an_address_is_met_whole);
	tcase_add_test(tc, ipv4_within_ipv6_is_ipv4);
	tcase_add_test(tc, who_has_all_addresses_has_each);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
