import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.rocketmq.acl.common.AclException;
import org.apache.rocketmq.acl.plain.PlainAccessValidator;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * Asks the classes of ACL 1.0 whether requests are accepted. Each line of standard input has an address, a tab and
 * a frame in base 64. For each it prints "allow" or "deny". The accounts are in the home's plain_acl.yml.
 */
public class PlainDecisions {
    public static void main(String[] args) throws Exception {
        PrintStream output = System.out;
        // Where the classes log, too.
        System.setOut(System.err);
        PlainAccessValidator validator = new PlainAccessValidator();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        StringBuilder decisions = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t");
            ByteBuffer frame = ByteBuffer.wrap(Base64.getDecoder().decode(parts[1]));
            frame.getInt();
            RemotingCommand command = RemotingCommand.decode(frame);
            try {
                validator.validate(validator.parse(command, parts[0]));
                decisions.append("allow\n");
            } catch (AclException error) {
                decisions.append("deny\n");
            }
        }
        output.print(decisions);
        output.flush();
        // A thread that watches the files would keep it alive.
        Runtime.getRuntime().halt(0);
    }
}
