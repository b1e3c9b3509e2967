/* SPDX-License-Identifier: MIT */
/* Every byte of a file lies where doc/format.md says. */
#include <check.h>
#include <string.h>

#include "realm/registry.h"
#include "shm/layout.h"

#define AT(type, member, offset, bytes)                                        \
	do {                                                                   \
		ck_assert_uint_eq(offsetof(struct type, member), (offset));    \
		ck_assert_uint_eq(sizeof(((struct type *)0)->member),          \
				  (bytes));                                    \
	} while (0)

START_TEST(the_preamble_lies_as_documented)
{
	AT(ferryi_preamble, magic, 0, 8);
	AT(ferryi_preamble, format, 8, 4);
	AT(ferryi_preamble, word_bits, 12, 4);
	AT(ferryi_preamble, kind, 16, 4);
	AT(ferryi_preamble, header_bytes, 20, 4);
	AT(ferryi_preamble, must_know, 24, 8);
	AT(ferryi_preamble, may_know, 32, 8);
	AT(ferryi_preamble, total_bytes, 40, 8);
	AT(ferryi_preamble, created_at, 48, 8);
	AT(ferryi_preamble, uuid, 56, 16);
	ck_assert_uint_eq(sizeof(struct ferryi_preamble), 72);
	ck_assert_mem_eq(&(uint64_t){ FERRYI_MAGIC },
			 "\x89\x7f"
			 "FERRY\n",
			 8);
}
END_TEST

START_TEST(the_mailbox_header_lies_as_documented)
{
	AT(ferryi_header, choice.capacity, 72, 8);
	AT(ferryi_header, choice.message_max, 80, 8);
	AT(ferryi_header, choice.bytes_max, 88, 8);
	AT(ferryi_header, choice.full, 96, 4);
	AT(ferryi_header, choice.delivery, 100, 4);
	AT(ferryi_header, choice.persistence, 104, 4);
	AT(ferryi_header, choice.trust, 108, 4);
	AT(ferryi_header, choice.max_deliveries, 112, 4);
	AT(ferryi_header, choice.reserved, 116, 4);
	AT(ferryi_header, choice.dead_letter, 120, 208);
	AT(ferryi_header, records_at, 328, 8);
	AT(ferryi_header, n_classes, 336, 4);
	AT(ferryi_header, n_chunks, 340, 4);
	AT(ferryi_header, shape.ring_log2, 344, 1);
	AT(ferryi_header, shape.turn_bits, 345, 1);
	AT(ferryi_header, shape.gen_bits, 346, 1);
	AT(ferryi_header, shape.index_bits, 347, 1);
	AT(ferryi_header, pad, 348, 4);
	AT(ferryi_header, classes, 352, 384);
	AT(ferryi_header, checksum, 736, 8);
	ck_assert_uint_eq(sizeof(struct ferryi_header), 744);
	AT(ferryi_class, size, 0, 8);
	AT(ferryi_class, payload_at, 8, 8);
	AT(ferryi_class, first, 16, 4);
	AT(ferryi_class, count, 20, 4);
	ck_assert_uint_eq(sizeof(struct ferryi_class), 24);
}
END_TEST

START_TEST(the_control_page_lies_as_documented)
{
	AT(ferryi_control, tail, 0, 8);
	AT(ferryi_control, head, 128, 8);
	AT(ferryi_control, gate, 256, 12);
	AT(ferryi_control, state, 268, 4);
	AT(ferryi_control, returned, 272, 8);
	AT(ferryi_control, reserved, 384, 64);
	AT(ferryi_control, cursor, 448, 64);
	AT(ferryi_control, counters, 512, 48);
	AT(ferryi_control, joins, 560, 8);
	AT(ferryi_control, members, 1024, 1024);
	ck_assert_uint_eq(sizeof(struct ferryi_control), 4096);
	AT(ferryi_counters, redelivered, 0, 8);
	AT(ferryi_counters, dropped, 8, 8);
	AT(ferryi_counters, lost, 16, 8);
	AT(ferryi_counters, rejected, 24, 8);
	AT(ferryi_counters, dead_lettered, 32, 8);
	AT(ferryi_counters, repaired, 40, 8);
}
END_TEST

START_TEST(a_record_lies_as_documented)
{
	AT(ferryi_record, cell, 0, 8);
	AT(ferryi_record, word, 8, 8);
	AT(ferryi_record, seq, 16, 8);
	AT(ferryi_record, len, 24, 4);
	AT(ferryi_record, handle, 28, 2);
	AT(ferryi_record, priority, 30, 1);
	AT(ferryi_record, flags, 31, 1);
	AT(ferryi_record, data, 32, 96);
	AT(ferryi_record, sender.start_time, 128, 8);
	AT(ferryi_record, sender.id, 136, 8);
	AT(ferryi_record, sender.sent_at, 144, 8);
	AT(ferryi_record, sender.expires_at, 152, 8);
	AT(ferryi_record, sender.pid, 160, 4);
	AT(ferryi_record, sender.uid, 164, 4);
	AT(ferryi_record, sender.gid, 168, 4);
	AT(ferryi_record, sender.type, 172, 4);
	AT(ferryi_record, sender.name, 176, 16);
	AT(ferryi_record, taker.start_time, 192, 8);
	AT(ferryi_record, taker.taken_at, 200, 8);
	AT(ferryi_record, taker.not_before, 208, 8);
	AT(ferryi_record, taker.backed, 216, 8);
	AT(ferryi_record, taker.pid, 224, 4);
	AT(ferryi_record, taker.uid, 228, 4);
	AT(ferryi_record, taker.gid, 232, 4);
	AT(ferryi_record, taker.reserved, 236, 4);
	AT(ferryi_record, taker.name, 240, 16);
	ck_assert_uint_eq(sizeof(struct ferryi_record), 256);
}
END_TEST

START_TEST(the_registry_lies_as_documented)
{
	AT(ferryi_registry_header, n_slots, 72, 4);
	AT(ferryi_registry_header, checksum, 80, 8);
	ck_assert_uint_eq(sizeof(struct ferryi_registry_header), 88);
	AT(ferryi_registry_control, death, 0, 4);
	AT(ferryi_registry_control, epoch, 128, 4);
	AT(ferryi_registry_control, net, 132, 4);
	AT(ferryi_registry_control, reserved, 136, 4);
	AT(ferryi_registry_control, retired, 140, 4);
	AT(ferryi_registry_control, looked_at, 144, 8);
	AT(ferryi_registry_control, look_us, 152, 4);
	AT(ferryi_slot, state, 0, 8);
	AT(ferryi_slot, start_time, 8, 8);
	AT(ferryi_slot, pid_namespace, 16, 8);
	AT(ferryi_slot, since, 24, 8);
	AT(ferryi_slot, pid, 32, 4);
	AT(ferryi_slot, uid, 36, 4);
	AT(ferryi_slot, gid, 40, 4);
	AT(ferryi_slot, name, 48, 16);
	ck_assert_uint_eq(FERRYI_REGISTRY_BYTES, 1056768);
	ck_assert_uint_eq(FERRYI_LOCK_RECOVER, UINT64_C(1) << 40);
	ck_assert_uint_eq(FERRYI_LOCK_NAMES, UINT64_C(1) << 41);
}
END_TEST

START_TEST(words_have_the_documented_bits)
{
	struct ferryi_cells s =
		ferryi_cells((struct ferryi_cell_shape){ 2, 54, 4, 5 });

	ck_assert_uint_eq(ferryi_word(1, FERRYI_HELD, 2, 3), 0x13000203);
	ck_assert_uint_eq(FERRYI_FREE, 0);
	ck_assert_uint_eq(FERRYI_LOAN, 1);
	ck_assert_uint_eq(FERRYI_QUEUED, 2);
	ck_assert_uint_eq(FERRYI_HELD, 3);
	ck_assert_uint_eq(FERRYI_RETURNED, 4);
	/* position 9 of a ring of 4: turn 2; chunk 17 in generation 18 = 2 */
	ck_assert_uint_eq(ferryi_cell_free(&s, 9), 2 << 9);
	ck_assert_uint_eq(ferryi_cell_full(&s, 9, 17, 18),
			  UINT64_C(1) << 63 | 2 << 9 | 2 << 5 | 17);
	ck_assert_uint_eq(ferryi_returned(3, 5, true), 3 << 24 | 5 << 1 | 1);
	ck_assert_uint_eq(ferryi_due_unit(INT64_C(5) << 20), 5);
}
END_TEST

START_TEST(the_checksum_is_fnv_1a)
{
	ck_assert_uint_eq(ferryi_checksum("", 0), 0xcbf29ce484222325ull);
	ck_assert_uint_eq(ferryi_checksum("a", 1), 0xaf63dc4c8601ec8cull);
	ck_assert_uint_eq(ferryi_checksum("foobar", 6), 0x85944171f73967e8ull);
}
END_TEST
int main(void)
{
	Suite *suite = suite_create("format");
	TCase *t = tcase_create("format");
	SRunner *runner;
	int failed;

	tcase_add_test(t, the_preamble_lies_as_documented);
	tcase_add_test(t, the_mailbox_header_lies_as_documented);
	tcase_add_test(t, the_control_page_lies_as_documented);
	tcase_add_test(t, a_record_lies_as_documented);
	tcase_add_test(t, the_registry_lies_as_documented);
	tcase_add_test(t, words_have_the_documented_bits);
	tcase_add_test(t, the_checksum_is_fnv_1a);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
