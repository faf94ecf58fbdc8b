"""What the stories share. Each step does one thing; the order of the steps is the story's."""
