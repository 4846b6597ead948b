import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.auth.authorization.builder.DefaultAuthorizationContextBuilder;
import org.apache.rocketmq.auth.authorization.context.DefaultAuthorizationContext;
import org.apache.rocketmq.auth.config.AuthConfig;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestHeaderRegistry;

/**
 * Asks the classes of ACL 2.0 what requests need. Each line of standard input is a frame in base 64. For each it
 * prints a line of needs, separated by blanks: a resource, "=", and the actions with commas between them.
 */
public class RequestNeeds {
    public static void main(String[] args) throws Exception {
        PrintStream output = System.out;
        // Where the classes log, too.
        System.setOut(System.err);
        AuthConfig config = new AuthConfig();
        config.setConfigName("needs");
        config.setClusterName("DefaultCluster");
        RequestHeaderRegistry.getInstance().initialize();
        DefaultAuthorizationContextBuilder builder = new DefaultAuthorizationContextBuilder(config);
        EmbeddedChannel channel = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
        ChannelHandlerContext context = channel.pipeline().firstContext();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            ByteBuffer frame = ByteBuffer.wrap(Base64.getDecoder().decode(line));
            frame.getInt();
            String needs;
            try {
                RemotingCommand command = RemotingCommand.decode(frame.slice());
                List<DefaultAuthorizationContext> found = builder.build(context, command);
                needs = found == null ? "" : found.stream().map(RequestNeeds::text).collect(Collectors.joining(" "));
            } catch (Throwable error) {
                needs = "failed:" + error.toString().replaceAll("\\s", "_");
            }
            output.println(needs);
        }
        output.flush();
        Runtime.getRuntime().halt(0);
    }

    private static String text(DefaultAuthorizationContext context) {
        String actions = context.getActions().stream().map(action -> action.getName()).collect(Collectors.joining(","));
        return context.getResourceKey() + "=" + actions;
    }
}
