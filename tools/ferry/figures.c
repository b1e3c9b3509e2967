/* SPDX-License-Identifier: MIT */
/* See figures.h. */
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "json.h"

const char *figure_text(const struct ferry_figure *f, char buf[SHORT_MAX])
{
	char age[SHORT_MAX - 4];

	switch (f->unit) {
	case FERRY_BYTES: return short_size((uint64_t)f->value, buf);
	case FERRY_YES_NO: return f->value ? "yes" : "no";
	case FERRY_TIME:
		snprintf(age, sizeof age, "%s", short_age(f->value, buf));
		snprintf(buf, SHORT_MAX, "%s ago", age);
		return buf;
	default: snprintf(buf, SHORT_MAX, "%" PRId64, f->value); return buf;
	}
}

static void put(struct json *j, const struct ferry_figure *f)
{
	char key[sizeof f->name];

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = f->name[i] == ' ' ? '_' : f->name[i];
	switch (f->unit) {
	case FERRY_YES_NO: json_bool(j, key, f->value); break;
	case FERRY_TIME: json_time(j, key, f->value); break;
	default: json_number(j, key, (uint64_t)f->value);
	}
}

void figures_json(const char *address, const struct ferry_figure *f, size_t n)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "name", address, strlen(address));
	for (size_t i = 0; i < n; i++)
		put(&j, &f[i]);
	json_close(&j, '}');
	json_end(&j);
}
