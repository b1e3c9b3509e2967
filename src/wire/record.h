/* SPDX-License-Identifier: MIT */
/*
 * The records of a log in a file (file:), as doc/format.md has them:
 *
 *	#ferry-log 1
 *	#13 5 2026-11-21T22:17:57.123456Z 812 3610a686 a4206da8
 *	hello
 *
 * The first line is the file's.  Each record is a line of its own position in the
 * file, the length of its text, when and by which process it was sent, the CRC-32 of
 * the text and that of this line before it; then the text, and a newline.  So a
 * record that was not written to its end, or was damaged, is never taken for one;
 * where the next one begins can be found again; and no copy of a record inside a
 * text is taken for a record, unless its position was guessed.
 *
 * Pure: no I/O, no allocation.  The bytes are foreign.
 */
#ifndef FERRYI_WIRE_RECORD_H
#define FERRYI_WIRE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FERRYI_RECORD_FIRST    "#ferry-log 1\n"
#define FERRYI_RECORD_START    13u /* where the first record is */
#define FERRYI_RECORD_HEAD_MAX 96u /* bytes of a record's first line */
#define FERRYI_RECORD_MAX      (1u << 30)

struct ferryi_record {
	uint64_t at;	 /* position in the file */
	uint64_t len;	 /* of the text */
	int64_t sent_us; /* since 1970 */
	uint32_t pid;	 /* of the sender, in its own words */
	uint32_t crc;	 /* of the text */
	size_t head;	 /* bytes of the first line, its newline included */
};

/* CRC-32 as in gzip; `crc` is 0, or that of the bytes before. */
uint32_t ferryi_crc32(uint32_t crc, const void *data, size_t len);

/* Write the first line; sets r->head, which is also the result. */
size_t ferryi_record_format(struct ferryi_record *r,
			    char out[FERRYI_RECORD_HEAD_MAX]);

/*
 * The first line of a record at position `at`, of which `len` bytes are there.  1:
 * it is whole and right; 0: more bytes may make it so; -EBADMSG.
 */
int ferryi_record_parse(const char *bytes, size_t len, uint64_t at,
			struct ferryi_record *out);

/*
 * Whether the line there, should it be right, may claim bytes behind `to`: two of its
 * numbers are looked at, which is quick.
 */
bool ferryi_record_may_reach(const char *bytes, size_t len, uint64_t at,
			     uint64_t to);

/* Where the record after it begins. */
uint64_t ferryi_record_end(const struct ferryi_record *r);

/*
 * Whether what stands at `at`, behind the last record, can be what is left of a
 * write that did not come to its end: the beginning of a record, or bytes that the
 * file system never got.
 */
bool ferryi_record_is_torn(const char *bytes, size_t len, uint64_t at);

/*
 * The first line of a record that begins in the first `len` bytes, whose position in
 * the file is `at`, the byte before them being `before`.  Its offset, or -1.
 */
int64_t ferryi_record_find(const char *bytes, size_t len, uint64_t at,
			   char before, struct ferryi_record *out);

/* 1: the file begins with the line of this format; 0: it may still; -EPROTO: that
 * of another version; -EBADMSG: it is no log. */
int ferryi_record_check_first(const char *bytes, size_t len);

#endif
