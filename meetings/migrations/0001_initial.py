
import django.db.models.deletion
import django.db.models.functions.datetime
import meetings.models.fields
import meetings.models.version
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Mail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField(verbose_name='SEQUENCE')),
                ('method', models.CharField(choices=[('REQUEST', 'REQUEST'), ('CANCEL', 'CANCEL')], max_length=7, verbose_name='METHOD')),
                ('recurrence_id', models.CharField(blank=True, help_text='Empty for a mail about the whole meeting.', max_length=100, verbose_name='RECURRENCE-ID')),
                ('excluded', models.JSONField(default=list, help_text='Occurrences that only its readers are not invited to.', verbose_name='EXDATEs of its readers')),
                ('plain', models.BooleanField(default=False, help_text='It resets one occurrence before the whole follows.', verbose_name="series' own values")),
                ('compared_with', models.PositiveIntegerField(help_text='The version that its text compares with.', null=True, verbose_name='compared with SEQUENCE')),
                ('message_id', models.CharField(max_length=255, verbose_name='Message-ID')),
                ('stamp', models.DateTimeField(verbose_name='DTSTAMP')),
                ('subject', models.TextField(verbose_name='subject')),
                ('envelope_from', models.CharField(max_length=320, verbose_name='envelope sender')),
                ('ends_at', models.DateTimeField(help_text='The end of the last thing that it tells.', verbose_name='tells until')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
            ],
            options={
                'verbose_name': 'mail',
                'verbose_name_plural': 'mails',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Sender',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text='name of the program', max_length=20, verbose_name='kind')),
                ('host', models.CharField(max_length=255, verbose_name='host')),
                ('alive_until', models.DateTimeField(verbose_name='alive until')),
            ],
            options={
                'verbose_name': 'sending process',
                'verbose_name_plural': 'sending processes',
            },
        ),
        migrations.CreateModel(
            name='Client',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('is_local', models.BooleanField(default=False, editable=False, help_text='Calls from this machine that need no API key belong to this client.', verbose_name='calls without a key')),
            ],
            options={
                'verbose_name': 'client',
                'verbose_name_plural': 'clients',
                'ordering': ('name', 'id'),
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_local', True)), fields=('is_local',), name='one_local_client')],
            },
        ),
        migrations.CreateModel(
            name='CallCount',
            fields=[
                ('pk', models.CompositePrimaryKey('client', 'window_start', blank=True, editable=False, primary_key=True, serialize=False)),
                ('window_start', models.DateTimeField(verbose_name='start of the window')),
                ('count', models.PositiveIntegerField(verbose_name='calls')),
                ('client', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='meetings.client', verbose_name='client')),
            ],
            options={
                'verbose_name': 'number of calls',
                'verbose_name_plural': 'numbers of calls',
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.CharField(editable=False, max_length=150, primary_key=True, serialize=False, unique=True)),
                ('prefix', models.CharField(editable=False, max_length=8, unique=True, verbose_name='prefix')),
                ('hashed_key', models.CharField(editable=False, max_length=150, verbose_name='hash of the key')),
                ('created', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='created')),
                ('name', models.CharField(default=None, help_text='Which program has this key.', max_length=50, verbose_name='name')),
                ('revoked', models.BooleanField(blank=True, default=False, help_text='A revoked key is refused. This cannot be undone.', verbose_name='revoked')),
                ('expiry_date', models.DateTimeField(blank=True, help_text='From then on the key is refused.', null=True, verbose_name='expires')),
                ('senders', models.JSONField(default=list, help_text='Senders that this key may speak for, such as ["*@example.com", "hr@example.org"].', verbose_name='senders')),
                ('respond_async', models.BooleanField(default=False, help_text='Its calls get a response at once (202), and are mailed in the background.', verbose_name='respond at once')),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_keys', to='meetings.client', verbose_name='client')),
            ],
            options={
                'verbose_name': 'API key',
                'verbose_name_plural': 'API keys',
                'ordering': ('-created',),
            },
        ),
        migrations.CreateModel(
            name='MailBytes',
            fields=[
                ('mail', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='bytes', serialize=False, to='meetings.mail', verbose_name='mail')),
                ('raw', models.BinaryField(verbose_name='source')),
            ],
            options={
                'verbose_name': 'source of a mail',
                'verbose_name_plural': 'sources of mails',
            },
        ),
        migrations.CreateModel(
            name='Meeting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(max_length=255, verbose_name="the client's uid")),
                ('ical_uid', models.CharField(help_text="It differs from the client's uid where another client sent that uid before.", max_length=255, verbose_name='UID')),
                ('plan', models.PositiveBigIntegerField(default=0, verbose_name='plan')),
                ('due_at', models.DateTimeField(null=True, verbose_name='due')),
                ('passed_over', models.BooleanField(default=False, help_text='A mail to them was under way, so more is to be told when that has ended.', verbose_name='somebody was passed over')),
                ('status', models.CharField(choices=[('CONFIRMED', 'confirmed'), ('CANCELLED', 'cancelled')], default='CONFIRMED', max_length=9, verbose_name='status')),
                ('sequence', models.PositiveIntegerField(default=0, verbose_name='SEQUENCE')),
                ('whole_sequence', models.PositiveIntegerField(default=0, help_text='That of the last version that was about the whole.', verbose_name='SEQUENCE of the whole')),
                ('organizer_address', models.CharField(max_length=320, verbose_name='organizer address')),
                ('organizer_name', models.CharField(blank=True, max_length=255, verbose_name='organizer name')),
                ('summary', models.CharField(max_length=1000, verbose_name='subject')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('location', models.CharField(blank=True, max_length=1000, verbose_name='location')),
                ('start', meetings.models.fields.WallClockField(help_text="Wall-clock time in the meeting's zone. A series has that of its first occurrence.", verbose_name='start')),
                ('end', meetings.models.fields.WallClockField(help_text="Wall-clock time in the meeting's zone. The meeting ends before it.", verbose_name='end')),
                ('tzid', models.CharField(max_length=64, verbose_name='time zone')),
                ('all_day', models.BooleanField(default=False, verbose_name='all day')),
                ('rrule', models.CharField(blank=True, max_length=255, verbose_name='RRULE')),
                ('exdates', models.JSONField(blank=True, default=list, verbose_name='EXDATE')),
                ('reminder', models.PositiveIntegerField(blank=True, help_text='Minutes before the start.', null=True, verbose_name='reminder')),
                ('ends_at', models.DateTimeField(help_text='The instant at which the last occurrence ends.', verbose_name='end of the meeting')),
                ('comment', models.TextField(blank=True, verbose_name='reason of the cancellation')),
                ('language', models.CharField(max_length=10, verbose_name='language')),
                ('thread', models.CharField(blank=True, max_length=255, verbose_name='first Message-ID')),
                ('continues_from', meetings.models.fields.WallClockField(help_text='The occurrence with which it begins.', null=True, verbose_name='continues from')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='updated')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='meetings', to='meetings.client', verbose_name='client')),
                ('continues', models.ForeignKey(blank=True, help_text='The series that this one continues.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='continued_by', to='meetings.meeting', verbose_name='continues')),
            ],
            options={
                'verbose_name': 'meeting',
                'verbose_name_plural': 'meetings',
                'ordering': ('-created_at',),
                'permissions': [('cancel_meeting', 'Can cancel a meeting'), ('resend_meeting', 'Can mail a meeting again')],
            },
        ),
        migrations.AddField(
            model_name='mail',
            name='meeting',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mails', to='meetings.meeting', verbose_name='meeting'),
        ),
        migrations.CreateModel(
            name='Attendee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=320, verbose_name='address')),
                ('address_key', models.CharField(editable=False, max_length=320, verbose_name='address to compare')),
                ('name', models.CharField(blank=True, max_length=255, verbose_name='name')),
                ('role', models.CharField(choices=[('REQ-PARTICIPANT', 'REQ-PARTICIPANT'), ('OPT-PARTICIPANT', 'OPT-PARTICIPANT'), ('NON-PARTICIPANT', 'NON-PARTICIPANT')], max_length=15, verbose_name='ROLE')),
                ('partstat', models.CharField(choices=[('NEEDS-ACTION', 'NEEDS-ACTION'), ('ACCEPTED', 'ACCEPTED'), ('DECLINED', 'DECLINED'), ('TENTATIVE', 'TENTATIVE'), ('DELEGATED', 'DELEGATED')], max_length=12, verbose_name='PARTSTAT')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('listed', models.BooleanField(help_text='Guests of single occurrences are not on it.', verbose_name='on the list')),
                ('told_method', models.CharField(choices=[('REQUEST', 'REQUEST'), ('CANCEL', 'CANCEL')], help_text='That of the newest message of the whole which was certainly accepted.', max_length=7, null=True, verbose_name='told METHOD')),
                ('told_sequence', models.PositiveIntegerField(null=True, verbose_name='told SEQUENCE')),
                ('told_possible', models.BooleanField(default=False, help_text="A newer message may have arrived: the mail server's word is missing.", verbose_name='outcome unknown')),
                ('told_stamp', models.DateTimeField(help_text='That of the newest message that may have left.', null=True, verbose_name='told DTSTAMP')),
                ('told_at', models.DateTimeField(null=True, verbose_name='told')),
                ('knows_until', models.DateTimeField(help_text='The latest end that any message told.', null=True, verbose_name='knows until')),
                ('asked_sequence', models.PositiveIntegerField(help_text='The newest version that the person is to be told.', verbose_name='to be told SEQUENCE')),
                ('asked_at', models.DateTimeField(verbose_name='to be told since')),
                ('failed_sequence', models.PositiveIntegerField(help_text='The version that the person was not told, and no further try is planned.', null=True, verbose_name='failed SEQUENCE')),
                ('retry_at', models.DateTimeField(null=True, verbose_name='next try')),
                ('last_reply', models.TextField(blank=True, verbose_name="the mail server's last reply")),
                ('meeting', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attendees', to='meetings.meeting', verbose_name='meeting')),
            ],
            options={
                'verbose_name': 'attendee',
                'verbose_name_plural': 'attendees',
                'ordering': ('position', 'id'),
            },
        ),
        migrations.CreateModel(
            name='OccurrenceOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recurrence_id', meetings.models.fields.WallClockField(verbose_name='RECURRENCE-ID')),
                ('is_cancelled', models.BooleanField(default=False, verbose_name='cancelled')),
                ('comment', models.TextField(blank=True, verbose_name='reason of the cancellation')),
                ('sequence', models.PositiveIntegerField(help_text='That of the last change of this occurrence.', verbose_name='SEQUENCE')),
                ('changes', models.JSONField(default=dict, help_text='Property → value. What is absent is the same as in the series.', verbose_name='changes')),
                ('added', models.JSONField(default=list, help_text='They come to this occurrence only.', verbose_name='added people')),
                ('removed', models.JSONField(default=list, help_text='Addresses taken off this occurrence.', verbose_name='removed people')),
                ('meeting', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='meetings.meeting', verbose_name='meeting')),
            ],
            options={
                'verbose_name': 'single occurrence',
                'verbose_name_plural': 'single occurrences',
                'ordering': ('recurrence_id',),
            },
        ),
        migrations.CreateModel(
            name='Pause',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='since')),
                ('by', models.CharField(max_length=200, verbose_name='by')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
            ],
            options={
                'verbose_name': 'pause',
                'verbose_name_plural': 'pauses',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_pause')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('sending', 'sending'), ('sent', 'sent'), ('refused', 'refused'), ('deferred', 'deferred'), ('unknown', 'outcome unknown'), ('dropped', 'dropped')], max_length=8, verbose_name='state')),
                ('attempt', models.PositiveIntegerField(default=1, verbose_name='attempts')),
                ('unknown_ends', models.PositiveSmallIntegerField(default=0, help_text="Attempts without the mail server's word.", verbose_name='unknown ends')),
                ('last_reply', models.TextField(blank=True, verbose_name="the mail server's last reply")),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('attendee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='meetings.attendee', verbose_name='recipient')),
                ('mail', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='deliveries', to='meetings.mail', verbose_name='mail')),
                ('meeting', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='meetings.meeting', verbose_name='meeting')),
                ('sender', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='deliveries', to='meetings.sender', verbose_name='sending process')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='ToldOccurrence',
            fields=[
                ('pk', models.CompositePrimaryKey('attendee_id', 'recurrence_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('recurrence_id', models.CharField(help_text='With its zone, as it stands in a calendar.', max_length=100, verbose_name='RECURRENCE-ID')),
                ('method', models.CharField(choices=[('REQUEST', 'REQUEST'), ('CANCEL', 'CANCEL')], max_length=7, verbose_name='METHOD')),
                ('sequence', models.PositiveIntegerField(verbose_name='SEQUENCE')),
                ('possible', models.BooleanField(default=False, verbose_name='outcome unknown')),
                ('alone', models.BooleanField(default=False, help_text='A REQUEST of this occurrence may have reached the person at some time.', verbose_name='told alone')),
                ('ends_at', models.DateTimeField(help_text='The latest end that a message gave it.', verbose_name='known end')),
                ('attendee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='told_occurrences', to='meetings.attendee', verbose_name='attendee')),
            ],
            options={
                'verbose_name': 'told occurrence',
                'verbose_name_plural': 'told occurrences',
            },
        ),
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField(verbose_name='SEQUENCE')),
                ('changes', models.JSONField(default=dict, help_text='Property → old and new value.', verbose_name='changes')),
                ('comment', models.TextField(blank=True, verbose_name='reason')),
                ('asked_by', models.CharField(max_length=200, verbose_name='asked by')),
                ('tzdata', models.CharField(default=meetings.models.version.tzdata_version, help_text='The version of the time zone data that its mails were made with.', max_length=20, verbose_name='time zone data')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
                ('meeting', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='meetings.meeting', verbose_name='meeting')),
            ],
            options={
                'verbose_name': 'version',
                'verbose_name_plural': 'versions',
                'ordering': ('sequence',),
            },
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='meeting_due'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(fields=['-created_at'], name='meetings_me_created_c5ff00_idx'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(fields=['start'], name='meetings_me_start_157cea_idx'),
        ),
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(fields=['organizer_address'], name='meetings_me_organiz_a864c2_idx'),
        ),
        migrations.AddConstraint(
            model_name='meeting',
            constraint=models.UniqueConstraint(fields=('client', 'uid'), name='uid_once_a_client'),
        ),
        migrations.AddConstraint(
            model_name='meeting',
            constraint=models.UniqueConstraint(fields=('ical_uid',), name='ical_uid_once'),
        ),
        migrations.AddIndex(
            model_name='attendee',
            index=models.Index(condition=models.Q(('failed_sequence__isnull', False)), fields=['meeting'], name='attendee_failed'),
        ),
        migrations.AddIndex(
            model_name='attendee',
            index=models.Index(condition=models.Q(('retry_at__isnull', False)), fields=['meeting'], name='attendee_in_back_off'),
        ),
        migrations.AddConstraint(
            model_name='attendee',
            constraint=models.UniqueConstraint(fields=('meeting', 'address_key'), name='attendee_once_a_meeting'),
        ),
        migrations.AddConstraint(
            model_name='occurrenceoverride',
            constraint=models.UniqueConstraint(fields=('meeting', 'recurrence_id'), name='override_once_an_occurrence'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ('sending', 'deferred', 'unknown'))), fields=['meeting'], name='delivery_open'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'sending')), fields=['sender'], name='delivery_sending'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['sending', 'sent', 'refused', 'deferred', 'unknown', 'dropped'])), name='delivery_state_known'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.UniqueConstraint(fields=('meeting', 'sequence'), name='sequence_once_a_meeting'),
        ),
        # By hand. All above is the output of makemigrations, which knows none of these.
        migrations.RunSQL(
            "ALTER TABLE meetings_callcount SET (fillfactor = 50), SET UNLOGGED",
            reverse_sql=migrations.RunSQL.noop,
        ),
        # Each outcome changes the person's row. With room in its page no index is written again.
        migrations.RunSQL(
            "ALTER TABLE meetings_attendee SET (fillfactor = 85)",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
