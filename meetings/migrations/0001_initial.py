
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
                ('method', models.CharField(choices=[('REQUEST', 'REQUEST'), ('CANCEL', 'CANCEL')], max_length=7, verbose_name='METHOD')),
                ('message_id', models.CharField(max_length=255, unique=True, verbose_name='Message-ID')),
                ('dtstamp', models.DateTimeField(verbose_name='DTSTAMP')),
                ('subject', models.TextField(verbose_name='subject')),
                ('whole', models.BooleanField(db_default=True, default=True, help_text='It is about the whole meeting, so it replaces every older mail.', verbose_name='whole meeting')),
                ('envelope_from', models.CharField(max_length=320, verbose_name='envelope sender')),
                ('raw', models.BinaryField(null=True, verbose_name='source')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
            ],
            options={
                'verbose_name': 'mail',
                'verbose_name_plural': 'mails',
                'ordering': ('id',),
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
            name='Meeting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(max_length=255, verbose_name="the client's uid")),
                ('ical_uid', models.CharField(help_text="It differs from the client's uid where another client sent that uid before.", max_length=255, verbose_name='UID')),
                ('status', models.CharField(choices=[('CONFIRMED', 'confirmed'), ('CANCELLED', 'cancelled')], default='CONFIRMED', max_length=9, verbose_name='status')),
                ('sequence', models.PositiveIntegerField(default=0, verbose_name='SEQUENCE')),
                ('dtstamp', models.DateTimeField(help_text='When the newest message was made. The next one gets a later time.', verbose_name='DTSTAMP')),
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
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='updated')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='meetings', to='meetings.client', verbose_name='client')),
                ('continues', models.OneToOneField(blank=True, help_text='The series that this one continues.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='continued_by', to='meetings.meeting', verbose_name='continues')),
            ],
            options={
                'verbose_name': 'meeting',
                'verbose_name_plural': 'meetings',
                'ordering': ('-created_at',),
                'permissions': [('cancel_meeting', 'Can cancel a meeting'), ('resend_meeting', 'Can mail a meeting again')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=320, verbose_name='recipient')),
                ('address_key', models.CharField(max_length=320, verbose_name='address to compare')),
                ('state', models.CharField(choices=[('queued', 'queued'), ('sending', 'sending'), ('sent', 'sent'), ('failed', 'failed'), ('superseded', 'superseded')], default='queued', max_length=10, verbose_name='state')),
                ('attempt', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='next attempt')),
                ('lease_until', models.DateTimeField(null=True, verbose_name='claimed until')),
                ('expires_at', models.DateTimeField(help_text='There is no further attempt after this instant.', verbose_name='deadline')),
                ('may_have_left', models.BooleanField(default=False, help_text='An attempt ended without a reply of the mail server.', verbose_name='outcome unknown')),
                ('promised', models.BooleanField(db_default=False, default=False, help_text='A call was told that it is queued while another call was sending it.', verbose_name='promised')),
                ('last_reply', models.TextField(blank=True, verbose_name="the mail server's last reply")),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
                ('finished_at', models.DateTimeField(help_text='End of the newest attempt.', null=True, verbose_name='finished')),
                ('mail', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='meetings.mail', verbose_name='mail')),
                ('meeting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='meetings.meeting', verbose_name='meeting')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'ordering': ('id',),
            },
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
                ('meeting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attendees', to='meetings.meeting', verbose_name='meeting')),
            ],
            options={
                'verbose_name': 'attendee',
                'verbose_name_plural': 'attendees',
                'ordering': ('position',),
            },
        ),
        migrations.CreateModel(
            name='OccurrenceOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recurrence_id', meetings.models.fields.WallClockField(verbose_name='RECURRENCE-ID')),
                ('is_cancelled', models.BooleanField(default=False, verbose_name='cancelled')),
                ('changes', models.JSONField(default=dict, help_text='Property → value. What is absent is the same as in the series.', verbose_name='changes')),
                ('meeting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='meetings.meeting', verbose_name='meeting')),
            ],
            options={
                'verbose_name': 'single occurrence',
                'verbose_name_plural': 'single occurrences',
                'ordering': ('recurrence_id',),
            },
        ),
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField(verbose_name='SEQUENCE')),
                ('changes', models.JSONField(default=dict, help_text='Property → old and new value.', verbose_name='changes')),
                ('asked_by', models.CharField(max_length=200, verbose_name='asked by')),
                ('tzdata', models.CharField(default=meetings.models.version.tzdata_version, help_text='The version of the time zone data that its mails were made with.', max_length=20, verbose_name='time zone data')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='created')),
                ('meeting', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='meetings.meeting', verbose_name='meeting')),
            ],
            options={
                'verbose_name': 'version',
                'verbose_name_plural': 'versions',
                'ordering': ('sequence',),
            },
        ),
        migrations.AddField(
            model_name='mail',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mails', to='meetings.version', verbose_name='version'),
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
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['due_at'], name='delivery_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'sending')), fields=['lease_until'], name='delivery_leased'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ('queued', 'sending'))), fields=['meeting', 'address_key'], name='delivery_live'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'sending', 'sent', 'failed', 'superseded'])), name='delivery_state_known'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'sending'), _negated=True), ('lease_until__isnull', False), _connector='OR'), name='sending_has_a_lease'),
        ),
        migrations.AddConstraint(
            model_name='attendee',
            constraint=models.UniqueConstraint(fields=('meeting', 'address_key'), name='attendee_once_a_meeting'),
        ),
        migrations.AddConstraint(
            model_name='occurrenceoverride',
            constraint=models.UniqueConstraint(fields=('meeting', 'recurrence_id'), name='override_once_an_occurrence'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.UniqueConstraint(fields=('meeting', 'sequence'), name='sequence_once_a_meeting'),
        ),
        migrations.AddIndex(
            model_name='mail',
            index=models.Index(condition=models.Q(('raw__isnull', False)), fields=['created_at'], name='mail_with_bytes'),
        ),
        # By hand. All above is the output of makemigrations, which knows neither.
        migrations.RunSQL(
            "ALTER TABLE meetings_callcount SET (fillfactor = 50), SET UNLOGGED",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
