-- What the staff of a practice see in an unchanged Open Dental of what patients do in the portal. It only reads.
-- In the questions `?` is the UserNum of who sits at the workstation, or the PatNum of the chart that is open.
-- Facts: web mail is SentOrReceived 4 received, 5 received and read, 6 sent, 7 sent and read by the patient.

-- name: inbox
-- The inbox of a user who stands for a provider: what patients wrote to this provider. Bold while the state is 4.
SELECT mail.EmailMessageNum, mail.SentOrReceived, mail.MsgType, mail.PatNum, mail.PatNumSubj, mail.FromAddress,
       mail.ToAddress, mail.Subject, mail.BodyText,
       (SELECT COUNT(*) FROM emailattach WHERE emailattach.EmailMessageNum = mail.EmailMessageNum) AS Files
FROM emailmessage AS mail
INNER JOIN userod ON userod.ProvNum = mail.ProvNumWebMail
WHERE userod.UserNum = ? AND userod.ProvNum <> 0 AND mail.SentOrReceived IN (4, 5)
ORDER BY mail.MsgDateTime DESC, mail.EmailMessageNum DESC;

-- name: sent
-- The sent messages of that provider; the state says whether the patient has read one.
SELECT mail.EmailMessageNum, mail.SentOrReceived, mail.PatNum, mail.PatNumSubj, mail.Subject
FROM emailmessage AS mail
INNER JOIN userod ON userod.ProvNum = mail.ProvNumWebMail
WHERE userod.UserNum = ? AND userod.ProvNum <> 0 AND mail.SentOrReceived IN (6, 7)
ORDER BY mail.MsgDateTime DESC, mail.EmailMessageNum DESC;

-- name: files
-- The files of the opened message, and where Open Dental looks for them below EmailAttachments.
SELECT mail.EmailMessageNum, emailattach.DisplayedFileName, emailattach.ActualFileName
FROM emailmessage AS mail
INNER JOIN userod ON userod.ProvNum = mail.ProvNumWebMail
INNER JOIN emailattach ON emailattach.EmailMessageNum = mail.EmailMessageNum
WHERE userod.UserNum = ? AND userod.ProvNum <> 0 AND mail.SentOrReceived IN (4, 5, 6, 7);

-- name: alerts
-- The main menu of the user at clinic 0: what the user has subscribed to, for this user or all.
SELECT DISTINCT alertitem.Type, alertitem.Severity, alertitem.Actions, alertitem.FormToOpen, alertitem.FKey,
       alertitem.Description,
       EXISTS(SELECT 1 FROM alertread WHERE alertread.AlertItemNum = alertitem.AlertItemNum
         AND alertread.UserNum = alertsub.UserNum) AS IsRead
FROM alertitem
INNER JOIN alertcategorylink ON alertcategorylink.AlertType = alertitem.Type
INNER JOIN alertsub ON alertsub.AlertCategoryNum = alertcategorylink.AlertCategoryNum
WHERE alertsub.UserNum = ? AND alertsub.ClinicNum IN (-1, 0)
  AND alertitem.ClinicNum IN (-1, 0) AND alertitem.UserNum IN (0, alertsub.UserNum);

-- name: audit
-- The audit trail of a patient (who acts); a row whose hash does not fit is painted red.
SELECT securitylog.PermType, securitylog.UserNum, securitylog.LogSource, securitylog.FKey, securitylog.LogText,
       COALESCE(TO_BASE64(UNHEX(SHA2(CONVERT(CONCAT(
         securitylog.PermType, securitylog.UserNum, DATE_FORMAT(securitylog.LogDateTime, '%Y-%m-%d %H:%i:%s'),
         securitylog.LogText, securitylog.PatNum) USING utf16le), 256))) = securityloghash.LogHash, 0) AS Fits
FROM securitylog
LEFT JOIN securityloghash ON securityloghash.SecurityLogNum = securitylog.SecurityLogNum
WHERE securitylog.PatNum = ?
ORDER BY securitylog.SecurityLogNum;

-- name: measures
-- What the EHR measures count of a patient: 15 secure message, 1 online access, 2 electronic copy.
SELECT EventType, COUNT(*) AS Counted FROM ehrmeasureevent WHERE PatNum = ? GROUP BY EventType;

-- name: chart
-- The communications in a patient's chart.
SELECT commlog.CommType, commlog.Mode_, commlog.SentOrReceived, commlog.CommSource, commlog.UserNum, commlog.Note
FROM commlog WHERE commlog.PatNum = ?;

-- name: activity
-- The activity of a patient in eServices: 16 signed in, 28 statement downloaded.
SELECT EServiceType, EServiceAction FROM eservicelog WHERE PatNum = ?;

-- name: access
-- The window Patient Portal Access of a patient: user name, form of the password, what the next sign-in must change.
SELECT UserName, SUBSTRING_INDEX(Password, '$', 1) AS Form, RequireUserNameChange, RequirePasswordChange,
       DateTimeLastLogin > NOW() - INTERVAL 1 DAY AS SignedInToday
FROM userweb WHERE FKey = ? AND FKeyType = 1;

-- name: visits
-- The appointments of a patient in the schedule, with the confirmation that staff set.
SELECT AptNum, AptStatus, Confirmed, Note FROM appointment WHERE PatNum = ?;

-- name: balance
-- What the account of a patient stands at.
SELECT EstBalance, BalTotal, InsEst, Guarantor, PatStatus FROM patient WHERE PatNum = ?;
