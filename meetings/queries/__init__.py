"""What can be asked of what is stored. The API, the admin and the commands read through here."""
