/* walle-bot: the gateway client that runs commands and counts XP. What it is made of is said in bot.c. */
#include "bot.h"

int main(int argc, char **argv)
{
	return service_main(&bot_definition, argc, argv);
}
