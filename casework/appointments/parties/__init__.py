"""The other people an appointment is for (AP-12): a spouse, a buyer. All are named, each has limits, all must arrive."""
