/* SPDX-License-Identifier: MIT */
/* Messages to standard output: see framing.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "framing.h"
#include "json.h"

void output_init(struct output *o, enum framing framing, const char *mailbox)
{
	o->framing = framing;
	o->newline = isatty(STDOUT_FILENO);
	o->kind = "mailbox";
	o->mailbox = mailbox;
}

/* When the machine was started, in seconds of CLOCK_REALTIME; 0: unknown. */
static int64_t boot_time(void)
{
	static int64_t seconds = -1;
	char line[256];
	FILE *f;

	if (seconds >= 0)
		return seconds;
	seconds = 0;
	f = fopen("/proc/stat", "re");
	if (!f)
		return 0;
	while (!seconds && fgets(line, sizeof line, f))
		if (!strncmp(line, "btime ", 6))
			seconds = strtoll(line + 6, NULL, 10);
	fclose(f);
	return seconds;
}

static void put_sender(struct json *j, const struct ferry_process *p)
{
	long ticks = sysconf(_SC_CLK_TCK);

	json_open(j, "sender", '{');
	json_number(j, "pid", (uint64_t)p->pid);
	json_number(j, "uid", (uint64_t)p->uid);
	json_text(j, "name", p->name, strnlen(p->name, sizeof p->name));
	if (p->start_time && boot_time() && ticks > 0)
		json_time(j, "since",
			  FERRY_S(boot_time()) +
				  (int64_t)(p->start_time *
					    (1000000000u / (uint64_t)ticks)));
	json_close(j, '}');
}

static void put_json(const struct output *o, const struct ferry_message *m)
{
	char id[24];
	struct json j;
	int n = snprintf(id, sizeof id, "%" PRIu64, m->id);

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, o->kind, o->mailbox, strlen(o->mailbox));
	json_number(&j, "seq", m->seq);
	/* A string: many readers of JSON keep only 53 bits of a number. */
	json_text(&j, "id", id, (size_t)n);
	json_number(&j, "type", m->type);
	json_number(&j, "priority", m->priority);
	put_sender(&j, &m->sender);
	if (m->from)
		json_text(&j, "from", m->from, strlen(m->from));
	if (m->sent_at)
		json_time(&j, "sent_at", m->sent_at);
	json_bool(&j, "redelivered", m->redelivered);
	json_number(&j, "deliveries", m->deliveries);
	json_number(&j, "size", m->len);
	if (utf8_valid(m->data, m->len, true))
		json_text(&j, "data", m->data, m->len);
	else
		json_base64(&j, "data_b64", m->data, m->len);
	json_close(&j, '}');
	json_end(&j);
}

static void put_len32(size_t len)
{
	unsigned char head[4] = { (unsigned char)len, (unsigned char)(len >> 8),
				  (unsigned char)(len >> 16),
				  (unsigned char)(len >> 24) };

	fwrite(head, 1, sizeof head, stdout);
}

bool output_message(const struct output *o, const struct ferry_message *m)
{
	if (o->framing == FRAMING_JSON) {
		put_json(o, m);
		return !fflush(stdout) && !ferror(stdout);
	}
	if (o->framing == FRAMING_LEN32)
		put_len32(m->len);
	if (m->len)
		fwrite(m->data, 1, m->len, stdout);
	if (o->framing == FRAMING_LINE ||
	    (o->framing == FRAMING_WHOLE && o->newline))
		putchar('\n');
	else if (o->framing == FRAMING_NUL)
		putchar('\0');
	return !fflush(stdout) && !ferror(stdout);
}
