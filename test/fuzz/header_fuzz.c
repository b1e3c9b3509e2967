/* SPDX-License-Identifier: MIT */
/*
 * Segment headers.  The input overwrites parts of a right header, whose checksum
 * is then made right again; whatever the check accepts must describe a segment
 * that lies within its file.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shm/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_geometry(const struct ferryi_header *h)
{
	uint64_t total = h->preamble.total_bytes, chunks = 0;

	assert(h->n_classes >= 2 && h->n_classes <= FERRYI_CLASSES);
	for (uint32_t k = 0; k < h->n_classes; k++) {
		const struct ferryi_class *c = &h->classes[k];

		assert(c->first == chunks && c->count >= 1);
		assert(c->payload_at <= total);
		assert(c->size * c->count <= total - c->payload_at);
		chunks += c->count;
	}
	assert(chunks == h->n_chunks);
	assert(h->records_at + chunks * sizeof(struct ferryi_record) <= total);
	assert(h->choice.capacity <= h->classes[0].count);
	assert(ferryi_layout_first_bytes(h) <= total);
}

/* Each step of the input: where (2 bytes), how many (1), and the bytes. */
static void overwrite(struct ferryi_header *h, const uint8_t *data, size_t size)
{
	while (size > 3) {
		size_t at = (data[0] | (size_t)data[1] << 8) % sizeof *h;
		size_t n = data[2] % 16 + 1;

		data += 3;
		size -= 3;
		n = n < size ? n : size;
		n = n < sizeof *h - at ? n : sizeof *h - at;
		memcpy((uint8_t *)h + at, data, n);
		data += n;
		size -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ferryi_choice c = { .capacity = 1000, .message_max = 65536 };
	const char *why = NULL;
	struct ferryi_header h;
	uint64_t file;

	assert(ferryi_layout_plan(&h, &c, &why) == 0);
	file = h.preamble.total_bytes;
	overwrite(&h, data, size);
	if (ferryi_layout_check(&h, file, &why) == 0)
		check_geometry(&h);
	h.checksum =
		ferryi_checksum(&h, offsetof(struct ferryi_header, checksum));
	if (ferryi_layout_check(&h, file, &why) == 0)
		check_geometry(&h);
	else
		assert(why != NULL);
	return 0;
}
