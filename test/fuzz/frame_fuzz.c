/* SPDX-License-Identifier: MIT */
/*
 * Frames: the first byte chooses the framing, the rest is a stream.  A message
 * that is found lies in the buffer, and encoding it gives the same bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wire/frame.h"

#define MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_encoding(enum ferryi_frame_kind kind, const uint8_t *frame,
			   const struct ferryi_frame_in *in)
{
	static struct ferryi_frame_out out;
	const void *piece;
	size_t n;

	if (ferryi_frame_begin(&out, kind, frame + in->at, in->len, MAX) != 0)
		return;
	assert(out.total == in->total);
	while ((n = ferryi_frame_piece(&out, &piece)) > 0) {
		assert(memcmp(piece, frame + out.sent, n) == 0);
		out.sent += n;
	}
	assert(out.sent == out.total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ferryi_frame_kind kind;
	struct ferryi_frame_in in;
	size_t scanned = 0;

	if (size == 0)
		return 0;
	kind = (enum ferryi_frame_kind)(data[0] % 3);
	data++;
	size--;
	while (ferryi_frame_find(kind, data, size, MAX, &scanned, &in) == 1) {
		assert(in.len <= MAX && in.total >= in.len);
		assert(in.at + in.len <= size && in.total <= size);
		check_encoding(kind, data, &in);
		data += in.total;
		size -= in.total;
		scanned = 0;
	}
	return 0;
}
