/* SPDX-License-Identifier: MIT */
/*
 * ferry mk NAME: make a mailbox.
 *
 * Unlike the library the command makes it to last (--persist kernel): a
 * mailbox of its last user would be gone when this command ends.
 */
#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <string.h>
#include <ferry.h>
#include "options.h"
#include "report.h"
#include "verb.h"

static const char *const full_names[] = { "block", "fail", "drop-new",
					  "drop-old", NULL };
static const char *const delivery_names[] = { "at-least-once", "at-most-once",
					      NULL };
static const char *const persist_names[] = { "process", "kernel", NULL };

static uint64_t capacity = 1024, max = 1 << 20, bytes, max_deliveries;
static uint64_t mode = 0600;
static int full = FERRY_FULL_BLOCK, delivery = FERRY_AT_LEAST_ONCE;
static int persist = FERRY_PERSIST_KERNEL;
static bool if_missing;
static const char *dead_letter, *group;

static const struct option_row rows[] = {
	{ "capacity", 0, OPTION_NUMBER, &capacity, "COUNT",
	  "messages it holds (1024)", NULL },
	{ "max", 0, OPTION_SIZE, &max, "SIZE",
	  "bytes one message may have (1M)", NULL },
	{ "bytes", 0, OPTION_SIZE, &bytes, "SIZE",
	  "memory it may use (no limit of its own)", NULL },
	{ "full", 0, OPTION_CHOICE, &full, "POLICY",
	  "block, fail, drop-new, drop-old: what a send does when it is full",
	  full_names },
	{ "delivery", 0, OPTION_CHOICE, &delivery, "HOW",
	  "at-least-once, at-most-once: when a receiver dies", delivery_names },
	{ "max-deliveries", 0, OPTION_NUMBER, &max_deliveries, "COUNT",
	  "then to the dead letters (0: no limit)", NULL },
	{ "dead-letter", 0, OPTION_TEXT, &dead_letter, "NAME",
	  "the mailbox for what cannot be processed", NULL },
	{ "mode", 0, OPTION_MODE, &mode, "MODE",
	  "permission bits (0600); more than yours: trust group", NULL },
	{ "group", 0, OPTION_TEXT, &group, "GROUP",
	  "its group, by name or number; trust group", NULL },
	{ "persist", 0, OPTION_CHOICE, &persist, "HOW",
	  "kernel: until removed (default); process: with its last user",
	  persist_names },
	{ "if-missing", 0, OPTION_FLAG, &if_missing, NULL,
	  "an existing one is left as it is (status 0)", NULL },
	{ 0 },
};

static int64_t group_id(const char *text)
{
	struct group *g = getgrnam(text);
	uint64_t id;

	if (g)
		return g->gr_gid;
	if (!parse_number(text, &id) || id >= UINT32_MAX)
		usage_error("--group: there is no group \"%s\"", text);
	return (int64_t)id;
}

static void fill(struct ferry_mailbox_options *o)
{
	if (max_deliveries > UINT32_MAX)
		usage_error("--max-deliveries: at most %u", UINT32_MAX);
	o->capacity = capacity;
	o->message_max = max;
	o->bytes_max = bytes;
	o->full = (enum ferry_full)full;
	o->delivery = (enum ferry_delivery)delivery;
	o->persistence = (enum ferry_persistence)persist;
	o->max_deliveries = (uint32_t)max_deliveries;
	o->dead_letter = dead_letter;
	o->mode = (unsigned)mode;
	if (mode & 077 || group)
		o->trust = FERRY_TRUST_GROUP;
	if (group)
		o->group = group_id(group);
	if (if_missing)
		o->flags |= FERRY_CREATE_IF_MISSING;
}

/*
 * The first mailbox that is to last in a realm: say it when the machine is set
 * to remove such things at log-out (systemd's RemoveIPC).
 */
static void warn_of_removal(const char *name)
{
	struct ferry_finding *list;
	size_t n;

	if (globals.quiet || ferry_doctor(NULL, &list, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (list[i].health >= FERRY_WARNING &&
		    !strcmp(list[i].topic, "RemoveIPC"))
			report(name, 0, "made, but %s (%s)", list[i].what,
			       list[i].fix);
	ferry_free(list);
}

static bool realm_is_empty(void)
{
	struct ferry_object *list;
	size_t n;

	if (ferry_list(NULL, &list, &n) < 0)
		return false;
	ferry_free(list);
	return n == 0;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *link;
	bool first;
	int err;

	if (options_parse(verb, argc, argv) != 1)
		usage_error("one NAME, please");
	fill(&o);
	first = persist == FERRY_PERSIST_KERNEL && realm_is_empty();
	err = ferry_mailbox_create(&link, argv[1], &o);
	if (err < 0)
		return report_error(argv[1], NULL, err);
	note("%s is there", ferry_address(link));
	if (persist == FERRY_PERSIST_PROCESS)
		note("%s goes with its last user: now, if that was us",
		     argv[1]);
	ferry_close(link);
	if (first)
		warn_of_removal(argv[1]);
	return 0;
}

const struct verb verb_mk = {
	.name = "mk",
	.operands = "NAME",
	.summary = "make a mailbox",
	.options = rows,
	.run = run,
};
