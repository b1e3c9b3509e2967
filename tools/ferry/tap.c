/* SPDX-License-Identifier: MIT */
/* See tap.h. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cancel.h"
#include "framing.h"
#include "json.h"
#include "options.h"
#include "report.h"

int tap_open(struct tap *t, const char *file, bool hex)
{
	if (hex && globals.json)
		usage_error("only one of --hex and --json");
	t->file = file;
	t->hex = hex;
	t->fd = STDOUT_FILENO;
	if (file)
		t->fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
			     0666);
	return t->fd >= 0 ? 0 : report_sys(file, errno);
}

static int failed(const struct tap *t)
{
	if (!t->file)
		return report_stdout();
	return cancelled() ? STATUS_NO : report_sys(t->file, errno);
}

int tap_close(struct tap *t)
{
	return t->file && close(t->fd) ? failed(t) : 0;
}

static struct timespec now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	return at;
}

static void put_json(struct tap *t, char way, const char *from, const char *to,
		     const struct ferry_message *m)
{
	struct timespec at = now();
	struct json j;

	json_init(&j, t->out);
	json_open(&j, NULL, '{');
	json_time(&j, "at", FERRY_S(at.tv_sec) + at.tv_nsec);
	json_text(&j, "way", &way, 1);
	json_text(&j, "from", from, strlen(from));
	if (to)
		json_text(&j, "to", to, strlen(to));
	if (m->seq)
		json_number(&j, "seq", m->seq);
	json_number(&j, "type", m->type);
	json_number(&j, "priority", m->priority);
	if (m->sender.pid)
		json_number(&j, "pid", (uint64_t)m->sender.pid);
	if (m->from)
		json_text(&j, "sender", m->from, strlen(m->from));
	json_number(&j, "size", m->len);
	if (utf8_valid(m->data, m->len, true))
		json_text(&j, "data", m->data, m->len);
	else
		json_base64(&j, "data_b64", m->data, m->len);
	json_close(&j, '}');
	json_end(&j);
}

static void put_head(struct tap *t, char way, const struct ferry_message *m)
{
	struct timespec at = now();
	struct tm tm;

	localtime_r(&at.tv_sec, &tm);
	fprintf(t->out, "%02d:%02d:%02d.%06ld %c %zu", tm.tm_hour, tm.tm_min,
		tm.tm_sec, at.tv_nsec / 1000, way, m->len);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != 0x7f;
}

/* Is it of a control character of two bytes, which some terminals obey? */
static bool is_control(const unsigned char *s, size_t i, size_t len)
{
	return (s[i] == 0xc2 && i + 1 < len && s[i + 1] < 0xa0) ||
	       (i && s[i - 1] == 0xc2 && s[i] < 0xa0);
}

/* UTF-8 as it is, on one line; what would end it or move the cursor escaped. */
static void put_text(struct tap *t, const struct ferry_message *m)
{
	const unsigned char *s = m->data;
	bool utf8 = utf8_valid(m->data, m->len, true);

	putc(' ', t->out);
	for (size_t i = 0; i < m->len; i++)
		if (s[i] == '\n')
			fputs("\\n", t->out);
		else if (s[i] == '\\')
			fputs("\\\\", t->out);
		else if (is_plain(s[i]) &&
			 (s[i] < 0x80 || (utf8 && !is_control(s, i, m->len))))
			putc(s[i], t->out);
		else
			fprintf(t->out, "\\x%02x", s[i]);
	putc('\n', t->out);
}

#define ROW 16

static void put_hex(struct tap *t, const struct ferry_message *m)
{
	const unsigned char *s = m->data;

	putc('\n', t->out);
	for (size_t at = 0; at < m->len; at += ROW) {
		size_t n = m->len - at < ROW ? m->len - at : ROW;

		fprintf(t->out, "%08zx ", at);
		for (size_t i = 0; i < ROW; i++)
			if (i < n)
				fprintf(t->out, " %02x", s[at + i]);
			else
				fputs("   ", t->out);
		fputs("  |", t->out);
		for (size_t i = 0; i < n; i++)
			putc(is_plain(s[at + i]) && s[at + i] < 0x80 ?
				     s[at + i] :
				     '.',
			     t->out);
		fputs("|\n", t->out);
	}
}

static void put(struct tap *t, char way, const char *from, const char *to,
		const struct ferry_message *m)
{
	if (globals.json) {
		put_json(t, way, from, to, m);
		return;
	}
	put_head(t, way, m);
	if (t->hex)
		put_hex(t, m);
	else
		put_text(t, m);
}

/* Made first and written then, by what a signal ends. */
int tap_write(struct tap *t, char way, const char *from, const char *to,
	      const struct ferry_message *m)
{
	char *text = NULL;
	size_t len = 0;
	bool ok;

	t->out = open_memstream(&text, &len);
	if (!t->out)
		return failed(t);
	put(t, way, from, to, m);
	ok = !ferror(t->out);
	ok = !fclose(t->out) && ok && output_to(t->fd, text, len);
	free(text);
	return ok ? 0 : failed(t);
}
